import Testing

@testable import thaw_jail

struct RuntimeStateTests {
    private static let base = "/2018-06-01/runtime"

    @Test func `a runtime's life: it asks, is given a call, answers, and asks again`() {
        var state = RuntimeState()
        #expect(state.decide(.next, mode: nil) == .hold)
        state.begin(id: "a")
        #expect(state.decide(.response(id: "a"), mode: nil) == .takeReply)
        state.endAnswer()
        #expect(state.decide(.next, mode: nil) == .hold)
        #expect(state.phase == .ready)
        state.begin(id: "b")
        #expect(state.decide(.error(id: "b"), mode: nil) == .takeError)
        state.endAnswer()
        #expect(state.phase == .answered)
    }

    @Test func `paths are read as Lambda's emulator reads them`() {
        #expect(RuntimeState.request("GET", "\(Self.base)/invocation/next") == .next)
        #expect(RuntimeState.request("POST", "\(Self.base)/invocation/x/response") == .response(id: "x"))
        #expect(RuntimeState.request("POST", "\(Self.base)/invocation/x/error?a=1") == .error(id: "x"))
        #expect(RuntimeState.request("POST", "\(Self.base)/init/error") == .initError)
        #expect(RuntimeState.request("GET", "/ping") == .ping)
        #expect(
            RuntimeState.request("POST", "\(Self.base)/invocation/x/calls/f") == .call(id: "x", function: "f")
        )
        for (method, path) in [
            ("POST", "\(Self.base)/invocation/next"), ("GET", "\(Self.base)/invocation/x/response"), ("GET", "/"),
            ("GET", "/2018-06-01"), ("POST", "\(Self.base)/invocation/x/y/response"),
            ("GET", "\(Self.base)/invocation"),
        ] {
            #expect(RuntimeState.request(method, path) == .unknown, "\(method) \(path)")
        }
    }

    private func status(_ decision: RuntimeState.Decision) -> Int? {
        if case .answer(let status, _) = decision { status } else { nil }
    }

    @Test func `an answer to a call that is not there is 400, a second answer to the last call is 403`() {
        var state = RuntimeState()
        #expect(status(state.decide(.response(id: "a"), mode: nil)) == 400)
        _ = state.decide(.next, mode: nil)
        #expect(status(state.decide(.error(id: "a"), mode: nil)) == 400)
        state.begin(id: "a")
        #expect(status(state.decide(.response(id: "b"), mode: nil)) == 400)
        #expect(state.decide(.response(id: "a"), mode: nil) == .takeReply)
        #expect(status(state.decide(.response(id: "a"), mode: nil)) == 403)
        state.endAnswer()
        #expect(status(state.decide(.error(id: "a"), mode: nil)) == 403)
        _ = state.decide(.next, mode: nil)
        #expect(status(state.decide(.response(id: "a"), mode: nil)) == 400)
    }

    @Test func `another function is called in the middle of a call, and never after it`() {
        var state = RuntimeState()
        let call = RuntimeState.Request.call(id: "a", function: "f")
        #expect(status(state.decide(call, mode: nil)) == 400)
        _ = state.decide(.next, mode: nil)
        state.begin(id: "a")
        #expect(state.decide(call, mode: nil) == .takeCall(id: "a", function: "f"))
        #expect(state.phase == .running(id: "a") && state.refusalOfCall(in: "a") == nil)
        #expect(status(state.decide(.call(id: "a", function: ""), mode: nil)) == 404)
        #expect(status(state.decide(.call(id: "b", function: "f"), mode: nil)) == 400)
        _ = state.decide(.response(id: "a"), mode: "streaming")
        #expect(status(state.decide(call, mode: nil)) == 403 && state.refusalOfCall(in: "a") != nil)
    }

    @Test func `a response's mode is streaming or not there`() {
        var state = RuntimeState()
        _ = state.decide(.next, mode: nil)
        state.begin(id: "a")
        #expect(status(state.decide(.response(id: "a"), mode: "buffered")) == 400)
        #expect(state.decide(.response(id: "a"), mode: "streaming") == .takeStream)
    }

    @Test func `a runtime that failed to begin, or has begun, cannot fail to begin again`() {
        var failed = RuntimeState()
        #expect(failed.decide(.initError, mode: nil) == .takeInitError)
        #expect(status(failed.decide(.initError, mode: nil)) == 403)
        #expect(status(failed.decide(.next, mode: nil)) == 403)
        var begun = RuntimeState()
        _ = begun.decide(.next, mode: nil)
        #expect(status(begun.decide(.initError, mode: nil)) == 403)
    }

    @Test func `asking again while a call runs is no error, as after a lost connection`() {
        var state = RuntimeState()
        #expect(state.decide(.next, mode: nil) == .hold)
        #expect(state.decide(.next, mode: nil) == .hold)
        state.begin(id: "a")
        #expect(state.decide(.next, mode: nil) == .hold)
        #expect(state.decide(.response(id: "a"), mode: nil) == .takeReply)
    }
}
