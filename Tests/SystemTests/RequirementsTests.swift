import Foundation
import Testing
import Trials

/// Packages that a deploy brings, on a real node; the archives lie in the bundle, so that no index is asked.
@Suite(
    .serialized,
    .enabled(
        if: Tree.isRoot && Tree.hasPython
            && FileManager.default.fileExists(atPath: "/usr/lib/python3/dist-packages/pip"),
        "pip of the machine's own Python installs in namespaces of its own; deploy/packages installs it"
    )
)
struct RequirementsTests {
    /// Archives made by a script, by file name.
    private static func archives(_ kind: String) async throws -> [String: Data] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("thaw-archives-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = Tree.root.appendingPathComponent("Tests/SystemTests/Clients/archives.py").path
        let outcome = try await CommandOutcome.run("/usr/bin/python3", [script, kind, folder.path])
        try #require(outcome.status == 0, "\(outcome.errors)")
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            files["archives/\(name)"] = try Data(contentsOf: folder.appendingPathComponent(name))
        }
        return files
    }

    private static let manifest = "name: needy\nruntime: python3\nhandler: app.handler\nlimits: {timeout: 5s}\n"
    private static let requirements = "# What it needs.\n--no-index\n--find-links archives\n"

    private func deploy(
        _ node: TrialNode,
        _ app: String,
        _ requirements: String,
        _ archives: [String: Data]
    ) async throws -> CommandOutcome {
        var files = archives
        files["app.py"] = Data(app.utf8)
        files["requirements.txt"] = Data((Self.requirements + requirements).utf8)
        let bundle = try TrialBundle(Self.manifest, files: files)
        defer { bundle.remove() }
        return try await node.thaw("deploy", bundle.path)
    }

    private func kept(_ node: TrialNode) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: node.dataDirectory + "/packages")
    }

    @Test func `a wheel is there for the handler, and is installed once for equal requirements`() async throws {
        let node = try await TrialNode(programs: Tree.programs, arguments: [])
        defer { node.removeData() }
        let wheel = try await Self.archives("wheel")
        let app = "import greeting\n\ndef handler(event, context):\n    return greeting.WORD\n"
        let deployed = try await deploy(node, app, "greeting==1.0\n", wheel)
        try #require(deployed.status == 0, "\(deployed.errors)")
        #expect(try await node.invoke("needy", "{}").text == #""from a wheel""#)
        let first = try kept(node)
        #expect(first.count == 1)
        let path = node.dataDirectory + "/packages/" + (first.first ?? "")
        let before = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        let again = try await deploy(node, app.replacing("WORD", with: "WORD + '!'"), "greeting==1.0\n", wheel)
        try #require(again.status == 0, "\(again.errors)")
        #expect(try await node.invoke("needy", "{}").text == #""from a wheel!""#)
        let after = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        #expect(try kept(node) == first && before == after, "what was installed is taken again")
        // What is asked for and is not there is told in pip's own words, and what served before serves on.
        let refused = try await deploy(node, app, "greeting==2.0\n", wheel)
        #expect(refused.status == 1)
        #expect(refused.errors.contains("requirements.txt: pip could not install it"), "\(refused.errors)")
        #expect(refused.errors.contains("No matching distribution found for greeting==2.0"), "\(refused.errors)")
        #expect(try kept(node) == first)
        #expect(try FileManager.default.contentsOfDirectory(atPath: node.dataDirectory + "/snapshots/incoming").isEmpty)
        #expect(try await node.invoke("needy", "{}").text == #""from a wheel!""#)
        #expect(await node.stop() == 0)
    }

    @Test func `a hostile package reads and writes nothing of the machine, and does not run for ever`() async throws {
        let node = try await TrialNode(programs: Tree.programs, arguments: ["--install-seconds", "5"])
        defer { node.removeData() }
        let app = "import hostile\n\ndef handler(event, context):\n    return hostile.FOUND\n"
        let port = try #require(node.url.split(separator: ":").last)
        let hostile = try await Self.archives("hostile:\(port)")
        let deployed = try await deploy(node, app, "hostile\n", hostile)
        try #require(deployed.status == 0, "\(deployed.errors)")
        let found = try await node.invoke("needy", "{}").text
        let tried = try #require(try JSONSerialization.jsonObject(with: Data(found.utf8)) as? [String: String])
        #expect(tried.count == 6 && tried.values.allSatisfy { $0.hasSuffix("Error") }, "\(tried)")
        let endless = try await Self.archives("endless")
        let refused = try await deploy(node, app, "endless\n", endless)
        #expect(refused.errors.contains("it worked for more than 5 seconds"), "\(refused.errors)")
        #expect(try kept(node).count == 1)
        #expect(try await node.until(seconds: 5) { ProcessTable.children(of: $0.pid).isEmpty })
        #expect(await node.stop() == 0)
    }
}
