import Linux
import Serving
import Wire

// A worker whose function does what its input says, for the tests of everything that can go wrong. Its snapshot is
// never read. It is no part of the product.

Template.run { (_, _) throws(LoadFailure) -> LoadedFunction in
    var hoard = Hoard()
    return LoadedFunction(
        residency: TemplateReport.Residency(arenaBytes: 0, decodeNanoseconds: 0, prepareNanoseconds: 0)
    ) { (body, contentType) throws(CallFailure) -> CallReply in
        let fault = Fault(String(decoding: body, as: UTF8.self))
        return CallReply(contentType: contentType, body: try fault.commit(hoarding: &hoard))
    }
}
