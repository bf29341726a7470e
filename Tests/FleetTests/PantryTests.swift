import Linux
import Logging
import Scheduling
import Testing

@testable import Fleet

@Suite struct PantryTests {
    private let snapshot = SnapshotID(digest: "d")

    private func outcome(of path: String, in pantry: Pantry) async -> Pantry.Outcome {
        await withCheckedContinuation { continuation in
            pantry.hold(snapshot, path: path) { continuation.resume(returning: $0) }
        }
    }

    /// Returns when everything ordered before has been done.
    private func settle(_ pantry: Pantry) async {
        await withCheckedContinuation { continuation in pantry.run { continuation.resume() } }
    }

    @Test func `a file is held with its bytes, and given back`() async throws {
        let pantry = Pantry(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        guard case .held(let bytes, let nanoseconds) = await outcome(of: "/proc/self/exe", in: pantry) else {
            Issue.record("not held")
            return
        }
        #expect(bytes > 0 && nanoseconds > 0)
        #expect(pantry.heldCount == 1)
        pantry.release(snapshot)
        await settle(pantry)
        #expect(pantry.heldCount == 0)
        await pantry.stop()
    }

    @Test func `a release overtakes no order to hold`() async throws {
        let pantry = Pantry(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        pantry.hold(snapshot, path: "/proc/self/exe") { _ in }
        pantry.release(snapshot)
        await settle(pantry)
        #expect(pantry.heldCount == 0)
        await pantry.stop()
    }

    @Test func `a file that is gone is refused`() async throws {
        let pantry = Pantry(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        guard case .refused = await outcome(of: "/nonexistent/snapshot", in: pantry) else {
            Issue.record("held")
            return
        }
        await pantry.stop()
    }
}
