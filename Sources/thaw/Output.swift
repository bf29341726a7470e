import ArgumentParser
import Foundation

/// What every command takes.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Print one JSON document.")
    var json = false
}

/// Where commands write.
enum Output {
    /// Bytes as they are.
    static func write(_ data: Data) throws(CommandFailure) {
        do {
            try FileHandle.standardOutput.write(contentsOf: data)
        } catch {
            throw .file("the standard output cannot be written: \(error.localizedDescription)")
        }
    }

    static func line(_ text: String) throws(CommandFailure) {
        try write(Data((text + "\n").utf8))
    }

    /// A document of the node's, or of ours, on lines of its own.
    static func document(_ data: Data) throws(CommandFailure) {
        try write(data.last == UInt8(ascii: "\n") ? data : data + [UInt8(ascii: "\n")])
    }

    static func document(_ value: some Encodable) throws(CommandFailure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { throw .file("the answer cannot be written as JSON") }
        try document(data)
    }

    /// Whether a person looks at the standard output.
    static var isTerminal: Bool { Terminal.isAt(descriptor: 1) }

    /// Empties a terminal and starts at its top.
    static let clearScreen = "\u{1B}[H\u{1B}[2J"

    /// A word to the person, not to the program that reads the output.
    static func note(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }
}

enum Terminal {
    static func isAt(descriptor: Int) -> Bool {
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
        return target.map { $0.hasPrefix("/dev/pts/") || $0.hasPrefix("/dev/tty") || $0 == "/dev/console" } ?? false
    }
}

/// Progress of long work: one line that is written over, on a terminal only.
struct ProgressLine: Sendable {
    /// Whether a person looks at the standard error output.
    let isShown: Bool

    init() {
        isShown = Terminal.isAt(descriptor: 2)
    }

    func show(_ text: String) {
        guard isShown else { return }
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[2K\(text)".utf8))
    }

    func clear() {
        show("")
    }
}

/// `packing embed  [######··············]  31 %  27.9 MB of 91.0 MB`.
enum ProgressBar {
    private static let width = 20

    static func text(_ verb: String, _ name: String, done: Int, of total: Int) -> String {
        let share = total > 0 ? min(Double(done) / Double(total), 1) : 0
        let full = Int(share * Double(width))
        let bar = String(repeating: "#", count: full) + String(repeating: "·", count: width - full)
        return "\(verb) \(name)  [\(bar)]  \(Int(share * 100)) %  \(Units.bytes(done)) of \(Units.bytes(total))"
    }
}
