import ArgumentParser
import Foundation
import Manifests
import Registry

/// Shows the deployed functions: `thaw list`.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the deployed functions.")

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let document = try await client.document(.get, "/functions")
        if output.json { return try Output.document(document) }
        var table = Table([
            "NAME": .left, "SERVES": .right, "TASK": .left, "MODEL": .right, "SHARED": .left, "DESCRIPTION": .left,
        ])
        for function in try client.decode(Functions.self, from: document).functions {
            let serving = function.serving
            table.add(
                function.name,
                "\(serving.version)",
                serving.snapshot.task.rawValue,
                Units.bytes(serving.snapshot.arenaByteCount),
                function.shares.map(\.text).joined(separator: ", "),
                serving.manifest.description ?? ""
            )
        }
        try Output.line(table.text)
    }

    private struct Functions: Decodable {
        var functions: [FunctionRecord]
    }
}

/// Shows all of one function: `thaw describe NAME`.
struct DescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "describe", abstract: "Show all of one function.")

    @Argument(help: "Name of the function.")
    var name: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let document = try await client.document(.get, "/functions/\(name.asPathSegment)")
        if output.json { return try Output.document(document) }
        let function = try client.decode(FunctionRecord.self, from: document)
        try Output.line(Self.text(function))
    }

    static func text(_ function: FunctionRecord) -> String {
        let serving = function.serving
        let manifest = serving.manifest
        var table = Table(["name": .left, function.name: .left])
        if let description = manifest.description { table.add("description", description) }
        table.add("serves", "version \(serving.version) of \(function.versionCount), deployed \(serving.createdAt)")
        let aliases = function.aliases.sorted { $0.key < $1.key }.map { "\($0.key) → \($0.value)" }
        if !aliases.isEmpty { table.add("aliases", aliases.joined(separator: ", ")) }
        table.add("task", serving.snapshot.task.rawValue)
        if let model = manifest.model { table.add("model", "\(model.source), \(manifest.precision.rawValue)") }
        if let evidence = manifest.evidence { table.add("precision", evidence.summary) }
        if let signature = serving.snapshot.signature {
            for port in signature.inputs { table.add("input", Self.text(port)) }
            for port in signature.outputs { table.add("output", Self.text(port)) }
        }
        table.add(
            "snapshot",
            "\(serving.snapshot.digest), \(Units.bytes(serving.snapshot.byteCount)) on disk, "
                + "\(Units.bytes(serving.snapshot.arenaByteCount)) in memory"
        )
        for share in function.shares { table.add("shared", share.text) }
        if let route = manifest.route { table.add("route", route) }
        table.add("timeout", Self.seconds(manifest.limits.timeoutMilliseconds))
        table.add("payload", Units.bytes(manifest.limits.payloadBytes))
        table.add("memory", manifest.limits.memoryBytes.map(Units.bytes) ?? "from the model's size")
        table.add(
            "workers",
            "\(manifest.scaling.min) to \(manifest.scaling.max.map(String.init) ?? "the number of cores"), "
                + "idle ones end after \(Self.seconds(manifest.scaling.idleMilliseconds))"
        )
        if let batching = manifest.batching {
            table.add(
                "batches",
                "up to \(batching.max) calls, gathered for \(Self.seconds(batching.delayMilliseconds))"
            )
        }
        for (key, value) in manifest.environment.sorted(by: { $0.key < $1.key }) {
            table.add("environment", "\(key)=\(value)")
        }
        return table.text
    }

    /// As in `image FP32 [n, 64]`.
    private static func text(_ port: ModelSignature.Port) -> String {
        let shape = port.shape.map { $0 == -1 ? "n" : String($0) }.joined(separator: ", ")
        return "\(port.name) \(port.datatype) [\(shape)]"
    }

    private static func seconds(_ milliseconds: Int) -> String {
        Units.duration(
            nanoseconds: UInt64(clamping: milliseconds).multipliedReportingOverflow(by: 1_000_000).partialValue
        )
    }
}

extension SharedTensors {
    /// As in `91 MB with embed@3`.
    var text: String { "\(Units.bytes(byteCount)) with \(owner ?? "a deleted version")" }
}

/// Removes a function: `thaw delete NAME`.
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Remove a function with its versions and aliases; its receipts stay."
    )

    @Argument(help: "Name of the function.")
    var name: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        _ = try await client.document(.delete, "/functions/\(name.asPathSegment)")
        if output.json { return try Output.document(["deleted": name]) }
        try Output.line("\(name) is deleted")
    }
}
