import Foundation

/// A program of other runtimes that answers line by line, JSON in and JSON out.
final class RivalProcess {
    private let process = Process()
    private let (orders, answers) = (Pipe(), Pipe())
    private var rest = Data()

    init(_ program: String, _ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = orders
        process.standardOutput = answers
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        // It ends with its input.
        try? orders.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// - Parameter rival: whom an error names.
    func ask<Answer: Decodable>(_ order: some Encodable, of rival: String) throws -> Answer {
        let order = try JSONEncoder().encode(order)
        try orders.fileHandleForWriting.write(contentsOf: order + Data("\n".utf8))
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = rest[..<end]
                rest = Data(rest[rest.index(after: end)...])
                return try JSONDecoder().decode(Answer.self, from: line)
            }
            // What is there, at least a byte, or nothing at the end.
            let more = answers.fileHandleForReading.availableData
            guard !more.isEmpty else {
                let script = (process.arguments?.first as NSString?)?.lastPathComponent ?? ""
                throw BenchError.rival(rival, "deploy/rivals/\(script) ended; run it by hand to see why")
            }
            rest.append(more)
        }
    }
}
