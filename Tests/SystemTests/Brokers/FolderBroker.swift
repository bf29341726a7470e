import Foundation
import Trials

/// A folder that files are moved into; there is no server that could die.
struct FolderBroker: Broker {
    static let program = "true"
    private let root: String

    init() async throws {
        root = try TrialNode.freshDirectory()
        try FileManager.default.createDirectory(atPath: root + "/in", withIntermediateDirectories: true)
    }

    var url: String { "file://\(root)/in?pattern=*.json&body=true" }
    var nodeArguments: [String] { ["--watchable", root] }

    func publish(_ numbers: [Int]) async throws {
        for number in numbers {
            // Half of them are written where they are found, the others are moved in.
            let path = "\(root)/in/\(number).json"
            let start = number % 2 == 0 ? path : "\(root)/\(number)"
            try Data(#"{"number": \#(number)}"#.utf8).write(to: URL(fileURLWithPath: start))
            if start != path { try FileManager.default.moveItem(atPath: start, toPath: path) }
        }
    }

    func crash() async {}
    func restart() async throws {}
    func remove() async { try? FileManager.default.removeItem(atPath: root) }
}
