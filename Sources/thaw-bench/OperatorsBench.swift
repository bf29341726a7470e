import ArgumentParser
import Foundation

/// Which operators pass the ONNX standard's own node tests.
struct OperatorsBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operators",
        abstract: "Run the ONNX standard's node tests through importer, compiler and runner.",
        discussion: """
            deploy/rivals/onnx-node-cases DIRECTORY writes the cases of PyPI onnx. An operator passes where all of its \
            cases do; cases of number types that Thaw refuses (float8, int4, …) are skipped. Cases run in a process of \
            their own: one that ends it counts as failed.
            """
    )

    @Option(help: "Directory of the cases.")
    var cases: String

    @Option(help: "Fail where fewer operators pass.")
    var atLeast = 0

    @Option(help: "Only cases whose operator has this name.")
    var only: String?

    @Flag(help: "Run graphs as they were imported, nothing folded or fused.")
    var plain = false

    @Flag(help: "One JSON object an operator.")
    var json = false

    func run() throws {
        let folder = URL(fileURLWithPath: cases, isDirectory: true)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        var all = try names.map { try NodeCase(folder.appendingPathComponent($0, isDirectory: true)) }
        if let only { all = all.filter { $0.operator == only } }
        let outcomes = try CaseProcess.run(all.map(\.name), in: folder, plain: plain)
        var rows: [String: OperatorRow] = [:]
        for nodeCase in all {
            rows[nodeCase.operator, default: OperatorRow(operator: nodeCase.operator)]
                .add(nodeCase.name, outcomes[nodeCase.name] ?? .failed("was not run"))
        }
        let sorted = rows.values.sorted { $0.operator < $1.operator }
        for row in sorted { try row.show(json: json) }
        let whole = sorted.filter { $0.isWhole && !$0.operator.hasPrefix("(") }.count
        if !json {
            let (passed, failed) = (sorted.reduce(0) { $0 + $1.passed }, sorted.reduce(0) { $0 + $1.failed })
            let skipped = sorted.reduce(0) { $0 + $1.skipped }
            print(
                "\(whole) operators pass all their cases · cases: \(passed) passed, \(failed) failed, \(skipped) skipped"
            )
        }
        if whole < atLeast { throw ExitCode.failure }
    }
}

/// One operator's cases.
private struct OperatorRow: Encodable {
    let `operator`: String
    private(set) var passed = 0
    private(set) var failed = 0
    private(set) var skipped = 0
    /// Case → what went wrong, or why it was skipped.
    private(set) var reasons: [String: String] = [:]

    init(operator name: String) { `operator` = name }

    var isWhole: Bool { passed > 0 && failed == 0 }

    mutating func add(_ name: String, _ outcome: NodeCase.Outcome) {
        switch outcome {
        case .passed: passed += 1
        case .skipped(let reason):
            skipped += 1
            reasons[name] = reason
        case .failed(let reason):
            failed += 1
            reasons[name] = reason
        }
    }

    func show(json: Bool) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return print(String(decoding: try encoder.encode(self), as: UTF8.self))
        }
        print("\(isWhole ? "✓" : "✗") \(`operator`): \(passed) passed, \(failed) failed, \(skipped) skipped")
        guard failed > 0 else { return }
        // One sentence may be said of many cases.
        let bySentence = Dictionary(grouping: reasons.keys.sorted()) { reasons[$0] ?? "" }
        for (sentence, names) in bySentence.sorted(by: { $0.value[0] < $1.value[0] }).prefix(8) {
            print("    \(names[0])\(names.count > 1 ? " and \(names.count - 1) more" : ""): \(sentence)")
        }
    }
}

/// Runs the cases that standard input names, one a line, and answers a line each.
struct OperatorCases: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator-cases",
        abstract: "Run node tests that standard input names (for `operators`).",
        shouldDisplay: false
    )

    @Option(help: "Directory of the cases.")
    var cases: String

    @Flag(help: "As of `operators`.")
    var plain = false

    func run() throws {
        let folder = URL(fileURLWithPath: cases, isDirectory: true)
        while let name = readLine() {
            let nodeCase = try NodeCase(folder.appendingPathComponent(name, isDirectory: true))
            print(nodeCase.run(compiled: !plain).line)
            fflush(nil)
        }
    }
}

/// This program once more, so that a case that traps ends that one and not the measurement.
private enum CaseProcess {
    static func run(_ names: [String], in folder: URL, plain: Bool) throws -> [String: NodeCase.Outcome] {
        var outcomes: [String: NodeCase.Outcome] = [:]
        var rest = names[...]
        while !rest.isEmpty {
            let lines = try answers(to: rest, in: folder, plain: plain)
            for (name, line) in zip(rest, lines) { outcomes[name] = NodeCase.Outcome(line: line) }
            rest = rest.dropFirst(lines.count)
            guard let name = rest.popFirst() else { break }
            outcomes[name] = .failed("ended the process")
        }
        return outcomes
    }

    /// As many as were answered before the process ended.
    private static func answers(to names: ArraySlice<String>, in folder: URL, plain: Bool) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Programs.directory + "/thaw-bench")
        process.arguments = ["operator-cases", "--cases", folder.path] + (plain ? ["--plain"] : [])
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        // From a file, so that nobody waits for anybody's pipe to be emptied.
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("thaw-cases-\(getpid())")
        try names.joined(separator: "\n").write(to: path, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: path) }
        let input = try FileHandle(forReadingFrom: path)
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
