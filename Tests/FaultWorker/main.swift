import Linux
import Serving
import Wire

// A worker whose function does what its input says, for the tests of everything that can go wrong. Its snapshot is
// never read. It is no part of the product. Between orders its template takes 2,000 steps, which the input `steps`
// counts: a millisecond or two of them, so that forks fall before, between and after them.

Template.run { (_, _, _) throws(LoadFailure) -> LoadedFunction in
    var hoard = Hoard()
    var steps = 0
    var warmUps = 0
    return LoadedFunction(
        residency: TemplateReport.Residency(arenaBytes: 0, decodeNanoseconds: 0, prepareNanoseconds: 0),
        idleStep: {
            steps += 1
            return steps < 2000
        },
        warmUp: { warmUps += 1 }
    ) { (request) throws(CallFailure) -> CallReply in
        let (body, contentType) = (request.body, request.contentType)
        if body == Array("steps".utf8) { return CallReply(contentType: contentType, body: Array("\(steps)".utf8)) }
        if body == Array("warm-ups".utf8) { return CallReply(contentType: contentType, body: Array("\(warmUps)".utf8)) }
        let fault = Fault(String(decoding: body, as: UTF8.self))
        return CallReply(contentType: contentType, body: try fault.commit(hoarding: &hoard))
    }
}
