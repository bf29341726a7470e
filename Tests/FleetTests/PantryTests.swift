import Linux
import Logging
import Scheduling
import Testing

@testable import Fleet

@Suite struct PantryTests {
    private let snapshot = SnapshotID(digest: "d")

    private func outcome(of path: String, in pantry: Pantry) async -> Pantry.Outcome {
        await withCheckedContinuation { continuation in
            pantry.hold(snapshot, path: path, order: 1) { continuation.resume(returning: $0) }
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
        pantry.release(snapshot, order: 2)
        await settle(pantry)
        #expect(pantry.heldCount == 0)
        await pantry.stop()
    }

    @Test func `a release overtakes no order to hold`() async throws {
        let pantry = Pantry(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        pantry.hold(snapshot, path: "/proc/self/exe", order: 1) { _ in }
        pantry.release(snapshot, order: 2)
        await settle(pantry)
        #expect(pantry.heldCount == 0)
        await pantry.stop()
    }

    @Test func `orders that come the other way round end as they were decided`() async throws {
        let pantry = Pantry(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        pantry.release(snapshot, order: 2)
        pantry.hold(snapshot, path: "/proc/self/exe", order: 1) { _ in Issue.record("nobody waits for it") }
        await settle(pantry)
        #expect(pantry.heldCount == 0)
        pantry.hold(snapshot, path: "/proc/self/exe", order: 5) { _ in }
        pantry.release(snapshot, order: 4)
        pantry.hold(snapshot, path: "/proc/self/exe", order: 3) { _ in Issue.record("nobody waits for it") }
        await settle(pantry)
        #expect(pantry.heldCount == 1)
        pantry.release(snapshot, order: 6)
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
