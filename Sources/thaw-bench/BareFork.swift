import ArgumentParser
import Foundation
import Linux
import Sandboxing
import Trials

/// The floor of a first call on a resting template: a process with this much memory in huge pages forks, and its child
/// loads a worker's filter and says a word.
///
/// It runs in a process of its own, so that it copies the page tables of that memory and of little else.
struct BareFork: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bare-fork",
        abstract: "Fork once for each line of standard input and print what it took (the floor of `cold`).",
        shouldDisplay: false
    )

    @Option(help: "Bytes of memory that the forking process holds in huge pages.")
    var bytes: Int

    func run() throws {
        guard let policies = Programs.policies else { throw BenchError.noExamples }
        let filter = try Policies(folder: policies).worker
        var memory = try Mapping.anonymous(byteCount: max(bytes, Mapping.pageByteCount), hugePages: true)
        memory.withMutableBytes { span in
            for offset in stride(from: 0, to: span.byteCount, by: Mapping.pageByteCount) {
                span.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
            }
        }
        try Confinement.forbidNewPrivileges()
        while readLine() != nil {
            let fork = try Self.fork(filter)
            print("\(fork.microseconds) \(fork.privateBytes)")
            fflush(nil)
        }
    }

    /// What one fork took, and what its child held alone once it had spoken.
    struct Outcome {
        var microseconds: Double
        /// Page tables included.
        var privateBytes: UInt64
    }

    private static func fork(_ filter: SystemCallFilter) throws -> Outcome {
        let word = try DescriptorPair.pipe()
        let leave = try DescriptorPair.pipe()
        let begin = Clock.monotonicNanoseconds()
        switch try CurrentProcess.fork() {
        case .child:
            try? filter.load()
            try? word.second.writeAll([1])
            // Stays until it was looked at.
            _ = try? leave.first.read(countMax: 1)
            CurrentProcess.exit(0)
        case .parent(let child):
            _ = try word.first.read(countMax: 1)
            let microseconds = Double(Clock.monotonicNanoseconds() - begin) / 1000
            let alone = ProcessMemory.aloneBytes(pid: child) ?? 0
            try leave.second.writeAll([1])
            _ = try ProcessHandle.wait(pid: child)
            return Outcome(microseconds: microseconds, privateBytes: alone)
        }
    }
}

extension ProcessMemory {
    /// What ending a process would free: its private pages and its page tables.
    static func aloneBytes(pid: Int32) -> UInt64? {
        guard let pages = privateBytes(pid: pid), let memory = of(pid: pid) else { return nil }
        return pages + memory.pageTableBytes
    }
}

/// A ``BareFork`` that waits for its turns.
final class ForkFloor: Sendable {
    private let process: FloorProcess

    init(byteCount: Int) throws {
        process = try FloorProcess(["bare-fork", "--bytes", "\(byteCount)"])
    }

    func turn() async throws -> BareFork.Outcome {
        try process.send("fork")
        let words = await process.lines.next()?.split(separator: " ") ?? []
        guard words.count == 2, let microseconds = Double(words[0]), let bytes = UInt64(words[1]) else {
            throw BenchError.floorSilent("bare-fork")
        }
        return BareFork.Outcome(microseconds: microseconds, privateBytes: bytes)
    }

    func stop() { process.stop() }
}

/// This program once more, as a floor in a process of its own; it ends when its standard input does.
final class FloorProcess: Sendable {
    let lines: LineStream
    private let process = Process()
    private let input = Pipe()

    init(_ arguments: [String]) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: Programs.directory + "/thaw-bench")
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        lines = LineStream(output.fileHandleForReading)
        try process.run()
    }

    func send(_ line: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    func stop() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
