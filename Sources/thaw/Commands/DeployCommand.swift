import ArgumentParser
import Foundation
import Manifests
import Registry

/// Makes a bundle the next version of its function: `thaw deploy PATH [--name N]`.
struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Make a bundle the next version of its function."
    )

    @Argument(help: "Directory with a function.yaml.")
    var path: String

    @Option(help: "Name of the function, instead of the one in function.yaml.")
    var name: String?

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let bundle = try Bundle(directory: path)
        let name = name ?? bundle.manifest.name
        let archive = try bundle.archive()
        let progress = ProgressLine()
        defer { progress.clear() }
        let byteCount = archive.byteCount
        let pieces = archive.pieces { sent in
            // The last piece is taken before it has arrived; after it the node packs.
            progress.show(
                sent < byteCount
                    ? "sending \(name): \(Units.bytes(sent)) of \(Units.bytes(byteCount))"
                    : "packing \(name): \(Units.bytes(byteCount))"
            )
        }
        let document = try await client.document(
            .put,
            "/functions/\(name.asPathSegment)",
            contentType: "application/x-tar",
            body: .archive(pieces, byteCount: byteCount)
        )
        progress.clear()
        if output.json { return try Output.document(document) }
        let version = try client.decode(FunctionVersion.self, from: document)
        let snapshot = version.snapshot
        try Output.line(
            "\(version.function) version \(version.version) serves · task \(snapshot.task.rawValue) · "
                + "snapshot \(snapshot.digest.prefix(12)) · \(Units.bytes(snapshot.byteCount)) on disk, "
                + "\(Units.bytes(snapshot.arenaByteCount)) in memory"
        )
        if let evidence = version.manifest.evidence {
            try Output.line("computes in \(evidence.summary)")
        }
    }
}
