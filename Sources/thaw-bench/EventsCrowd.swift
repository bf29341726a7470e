import Foundation
import Synchronization
import Trials

/// Clients that enqueue events until the node is gone, and remember what it said that it had accepted.
final class EventsCrowd: Sendable {
    static let destinations = [
        "into-function": "arn:aws:lambda:us-east-1:000000000000:function:ghost",
        "into-queue": "arn:aws:sqs:us-east-1:000000000000:results",
        "into-file": "file:results",
        "busy": "file:busy",
    ]

    private static let steady = ["into-function", "into-queue", "into-file"]

    private let state = Mutex(State())

    private struct State {
        var accepted: [String: String] = [:]
        var refused = 0
        var sent = 0
    }

    private static let clientCount = 4

    /// What was answered with 202: the function of each id.
    func accepted() -> [String: String] { state.withLock { $0.accepted } }

    func refusedCount() -> Int { state.withLock { $0.refused } }

    /// - Returns: whether the node was gone before the time was over.
    func enqueue(on node: TrialNode, milliseconds: Int) async -> Bool {
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        return await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<Self.clientCount {
                group.addTask {
                    while ContinuousClock.now < deadline {
                        if await self.send(to: node) == false { return true }
                    }
                    return false
                }
            }
            return await group.reduce(false) { $0 || $1 }
        }
    }

    /// False where the node did not answer.
    private func send(to node: TrialNode) async -> Bool {
        let number = state.withLock { state in
            state.sent += 1
            return state.sent
        }
        let name = number % 151 < 2 ? "busy" : Self.steady[number % Self.steady.count]
        // A key that comes again, a group, a redrive: now and then.
        let more = number % 7 == 0 ? "&key=\(number / 14)" : number % 5 == 0 ? "&group=g\(number % 3)" : ""
        do {
            if number % 97 == 0 {
                _ = try await node.request("POST", "/events/redrive?function=ghost")
                return true
            }
            let answer = try await node.request(
                "POST",
                "/events?function=\(name)\(more)",
                body: Data(#"{"number": \#(number)}"#.utf8)
            )
            struct Accepted: Decodable { var id: String }
            guard answer.status == 202 else {
                state.withLock { $0.refused += 1 }
                return true
            }
            let id = try JSONDecoder().decode(Accepted.self, from: answer.body).id
            state.withLock { $0.accepted[id] = name }
            return true
        } catch {
            return false
        }
    }
}
