import ArgumentParser
import Foundation
import Invoking
import Manifests
import Registry

/// Makes a bundle the next version of its function: `thaw deploy PATH [--name N]`.
struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Make a bundle the next version of its function.",
        discussion: """
            A model needs no function.yaml: of an .onnx file, or a directory in Hugging Face layout, the name follows from \
            the path and the task from config.json.
            """
    )

    @Argument(help: "Directory with a function.yaml, directory in Hugging Face layout, or .onnx file.")
    var path: String

    @Option(help: "Name of the function, instead of the one in function.yaml.")
    var name: String?

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let bundle = try Bundle(directory: path)
        try BuildStep.run(bundle.manifest, directory: bundle.directory)
        let name = name ?? bundle.manifest.name
        let archive = try bundle.archive()
        let progress = ProgressLine()
        defer { progress.clear() }
        let byteCount = archive.byteCount
        let pieces = archive.pieces { sent in
            // The last piece is taken before it has arrived; from there on the node is asked.
            guard sent < byteCount else { return }
            progress.show(ProgressBar.text("sending", name, done: sent, of: byteCount))
        }
        let watch = progress.isShown ? Task { await Self.follow(name, client, progress) } : nil
        defer { watch?.cancel() }
        let document = try await client.document(
            .put,
            "/functions/\(name.asPathSegment)",
            contentType: "application/x-tar",
            body: .archive(pieces, byteCount: byteCount)
        )
        watch?.cancel()
        await watch?.value
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

    /// Shows what the node does with a bundle that it has, until cancelled.
    private static func follow(_ name: String, _ client: Client, _ line: ProgressLine) async {
        while (try? await Task.sleep(for: .milliseconds(200))) != nil {
            guard let document = try? await client.document(.get, "/functions/\(name.asPathSegment)/deploy"),
                let progress = try? client.decode(DeployProgress.self, from: document), progress.phase != .receiving
            else { continue }
            // A snapshot is seldom longer than its bundle, and how much shorter shows at the end.
            let done =
                progress.phase == .packing ? min(progress.snapshotBytes, progress.bundleBytes) : progress.bundleBytes
            let verb = progress.phase == .packing ? "packing" : "checking"
            line.show(ProgressBar.text(verb, name, done: done, of: progress.bundleBytes))
        }
    }
}
