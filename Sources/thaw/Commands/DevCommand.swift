import ArgumentParser
import AsyncHTTPClient
import Foundation
import Invoking
import Linux
import Manifests
import Registry

/// Deploys a folder whenever something in it changes: `thaw dev DIR`.
struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Deploy a folder whenever something in it changes, and show its log.",
        discussion: "Ends with Ctrl-C; the last version that was deployed goes on serving."
    )

    @Argument(help: "Directory with a function.yaml.")
    var path: String = "."

    @Option(help: "Name of the function, instead of the one in function.yaml.")
    var name: String?

    /// An editor writes a file in several steps.
    private static let quietMilliseconds = 30

    func run() async throws {
        let client = try Client()
        let changes = try Self.changes(in: path)
        var deployed: SourceTree?
        var log: Task<Void, Never>?
        defer { log?.cancel() }
        // A build writes into the folder that it is run for: what it leaves behind is no change of its author's.
        for await _ in changes where SourceTree(directory: path) != deployed {
            let function = await deploy(client)
            deployed = SourceTree(directory: path)
            if let function, log == nil { log = Task { await Self.follow(function, client) } }
        }
    }

    /// - Returns: the function's name; nil where it was refused, which the next change may mend.
    private func deploy(_ client: Client) async -> String? {
        let start = ContinuousClock.now
        do throws(CommandFailure) {
            let bundle = try Bundle(directory: path)
            try BuildStep.run(bundle.manifest, directory: bundle.directory)
            let name = name ?? bundle.manifest.name
            let archive = try bundle.archive()
            let document = try await client.document(
                .put,
                "/functions/\(name.asPathSegment)",
                contentType: "application/x-tar",
                body: .archive(archive.pieces { _ in }, byteCount: archive.byteCount)
            )
            let version = try client.decode(FunctionVersion.self, from: document)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            let time = String(format: "%.2f", seconds)
            Output.note("\(version.function) version \(version.version) serves after \(time) s; watching \(path)")
            return version.function
        } catch {
            Output.note("not deployed: \(error)\nwatching \(path); the version before, if any, goes on serving")
            return nil
        }
    }

    /// One element at once, and one whenever the folder has changed and then been quiet for a moment.
    private static func changes(in path: String) throws(CommandFailure) -> AsyncStream<Void> {
        let (changes, source) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        do throws(SystemError) {
            let watch = try FolderWatch()
            for folder in SourceTree(directory: path).folders { try watch.add(folder) }
            let descriptor = SharedWatch(watch)
            try Thread.start(named: "thaw-dev") {
                source.yield()
                while descriptor.waitForChange(quietMilliseconds: quietMilliseconds) {
                    // Folders that were made meanwhile.
                    for folder in SourceTree(directory: path).folders { descriptor.add(folder) }
                    source.yield()
                }
                source.finish()
            }
        } catch {
            throw .file("\(path) cannot be watched: \(error)")
        }
        return changes
    }

    /// Shows lines as they are written; a node that was restarted is asked again by the next deploy.
    private static func follow(_ function: String, _ client: Client) async {
        guard let reply = try? await client.send(.get, "/functions/\(function.asPathSegment)/logs?last=0&follow=true"),
            reply.isSuccess
        else { return }
        var lines = LineSplitter()
        do {
            for try await piece in reply.body {
                for line in lines.split(piece) {
                    let line = try client.decode(LogLine.self, from: line)
                    try Output.line("\(line.time)  v\(line.version)  \(line.message)")
                }
            }
        } catch {
            Output.note("the log broke off: \(error)")
        }
    }
}

/// A watch that its thread keeps.
private final class SharedWatch: Sendable {
    private let watch: FolderWatch

    init(_ watch: consuming FolderWatch) {
        self.watch = watch
    }

    func add(_ folder: String) {
        // One that has gone again meanwhile is not watched.
        try? watch.add(folder)
    }

    /// False where the watch has ended.
    func waitForChange(quietMilliseconds: Int) -> Bool {
        do throws(SystemError) {
            try watch.wait()
            while try watch.wait(atMostMilliseconds: quietMilliseconds) {}
            return true
        } catch {
            return false
        }
    }
}
