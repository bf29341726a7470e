import Foundation

/// A program that answers each line with a line: one of ours that a test speaks to itself.
final class LineProcess: @unchecked Sendable {  // Safe: a test asks one thing after the other.
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var rest: [UInt8] = []

    init(_ name: String) throws {
        process.executableURL = URL(fileURLWithPath: "\(Tree.programs)/\(name)")
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    static func isBuilt(_ name: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: "\(Tree.programs)/\(name)")
    }

    func ask(_ line: String) async throws -> String {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
        return try await read()
    }

    /// The next line; an empty one where the program has ended.
    func read() async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try self.readWaiting() }) }
        }
    }

    private func readWaiting() throws -> String {
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                defer { rest.removeFirst(end + 1) }
                return String(decoding: rest[..<end], as: UTF8.self)
            }
            let bytes = output.fileHandleForReading.availableData
            if bytes.isEmpty { return "" }
            rest += bytes
        }
    }

    /// Ends it as a crash would.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// `thaw-source` as the scheduler speaks to it.
final class SourceProgram: Sendable {
    private let process: LineProcess

    init() throws { process = try LineProcess("thaw-source") }

    struct Record {
        let handle: String
        let deliveryCount: Int
        let document: [String: Any]
    }

    /// Opens a broker of this machine.
    ///
    /// - Returns: what was wrong; nil where nothing was.
    func open(
        _ scheme: String,
        port: Int,
        path: String = "",
        query: [String: String],
        user: String? = nil,
        consumer: String = "one"
    ) async throws -> String? {
        var address: [String: Any] = [
            "scheme": scheme, "host": "127.0.0.1", "port": port, "path": path, "query": query,
            "shown": "\(scheme)://here", "consumer": consumer,
        ]
        address["user"] = user
        return try await ask(["open": address])["error"] as? String
    }

    func take(_ countMax: Int, waitMilliseconds: Int = 20_000) async throws -> [Record] {
        let answer = try await ask(["take": countMax, "wait": waitMilliseconds])
        return (answer["records"] as? [[String: Any]] ?? []).compactMap { record in
            guard let handle = record["handle"] as? String, let document = record["document"] as? [String: Any] else {
                return nil
            }
            return Record(handle: handle, deliveryCount: record["deliveries"] as? Int ?? 0, document: document)
        }
    }

    /// Takes until so many are there, or none come any more.
    func takeAll(_ count: Int, waitMilliseconds: Int = 20_000) async throws -> [Record] {
        var records: [Record] = []
        while records.count < count {
            let more = try await take(count, waitMilliseconds: waitMilliseconds)
            if more.isEmpty { break }
            records += more
        }
        return records
    }

    /// - Returns: what was wrong; nil where nothing was.
    func settle(_ records: [Record]) async throws -> String? {
        try await ask(["settle": records.map(\.handle)])["error"] as? String
    }

    func putBack(_ records: [Record], afterMilliseconds: Int) async throws -> String? {
        try await ask(["putBack": records.map(\.handle), "after": afterMilliseconds])["error"] as? String
    }

    func lag() async throws -> Int? { try await ask(["lag": true])["lag"] as? Int }

    func kill() { process.kill() }

    private func ask(_ request: [String: Any]) async throws -> [String: Any] {
        let line = try JSONSerialization.data(withJSONObject: request.merging(["n": 1]) { $1 })
        let answer = try await process.ask(String(decoding: line, as: UTF8.self))
        return try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any] ?? [:]
    }
}
