import HTTPTypes
import Invoking
import Registry
import Testing

@testable import Doors

@Suite struct RepliesTests {
    @Test(arguments: [
        (Failure.unknownFunction("x"), 404, "unknownFunction"),
        (.unknownQualifier(function: "x", qualifier: "y"), 404, "unknownQualifier"),
        (.badInput("expected 64 numbers, got 3"), 400, "badInput"),
        (.tooLarge(bytesMax: 9), 413, "tooLarge"),
        (.overloaded(retryAfterSeconds: 3), 429, "overloaded"),
        (.draining, 503, "draining"),
        (.unavailable("no receipt could be begun"), 503, "unavailable"),
        (.timedOut(milliseconds: 500), 504, "timedOut"),
        (.died(reason: "signal 9 (SIGKILL)"), 502, "workerDied"),
        (.contractBroken("two replies"), 502, "contractBroken"),
        (.model("the output is not finite"), 500, "modelFailed"),
        (.function("{\"errorMessage\":\"no\"}"), 502, "functionFailed"),
    ])
    func `every failure has its status and its word`(failure: Failure, status: Int, code: String) {
        let refusal = Replies.refusal(for: failure)
        #expect(refusal.status.code == status)
        #expect(refusal.code == code)
        #expect(!refusal.message.isEmpty)
    }

    @Test func `who may come back is told when`() {
        #expect(Replies.refusal(for: Failure.overloaded(retryAfterSeconds: 3)).headers[.retryAfter] == "3")
        #expect(Replies.refusal(for: Failure.draining).headers[.retryAfter] == "5")
        #expect(Replies.refusal(for: Failure.unavailable("x")).headers[.retryAfter] == "1")
        #expect(Replies.refusal(for: Failure.timedOut(milliseconds: 1)).headers[.retryAfter] == nil)
    }

    @Test func `the reason of a death and what was expected are in the message`() {
        #expect(Replies.refusal(for: Failure.died(reason: "seccomp: openat")).message.contains("seccomp: openat"))
        #expect(Replies.refusal(for: Failure.badInput("expected 64 numbers")).message.contains("expected 64 numbers"))
    }

    @Test(arguments: [
        (DeployFailure.invalid("function.yaml:7:3: unknown key"), 400),
        (.tooLarge(bytesMax: 1), 413),
        (.storage("the disk is full"), 507),
        (.packerDied(reason: "seccomp: socket"), 422),
    ])
    func `every failed deploy has its status`(failure: DeployFailure, status: Int) {
        #expect(Replies.refusal(for: failure).status.code == status)
    }

    @Test(arguments: [
        (RegistryError.unknownFunction("x"), 404),
        (.unknownQualifier(function: "x", qualifier: "y"), 404),
        (.invalidLabel("1"), 400),
        (.nothingToRollBack(function: "x", serving: 1), 409),
        (.routeTaken(route: "/a", by: "b"), 409),
        (.storage("disk"), 500),
    ])
    func `every error of the registry has its status`(error: RegistryError, status: Int) {
        #expect(Replies.refusal(for: error).status.code == status)
    }
}
