import Foundation
import Testing
import Trials

/// Bad input from outside: refused with a sentence, nothing left behind, what served before serves on.
@Suite(.serialized)
struct HostileInputTests {
    private func withNode(_ body: (TrialNode) async throws -> Void) async throws {
        let node = try await TrialNode(programs: Tree.programs)
        defer { node.removeData() }
        try await body(node)
        #expect(await node.stop() == 0)
    }

    private static let manifest = "name: victim\nruntime: model\n"

    /// Files in the snapshot folder, published or not.
    private func snapshotFiles(of node: TrialNode) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: node.dataDirectory + "/snapshots")
            .filter { $0 != "incoming" }
    }

    private func put(_ archive: Data, on node: TrialNode) async throws -> TrialNode.Answer {
        try await node.request(
            "PUT",
            "/functions/victim",
            body: archive,
            headers: ["content-type": "application/x-tar"]
        )
    }

    @Test func `hostile archives are refused, leave nothing, and the old version serves`() async throws {
        try await withNode { node in
            let good = TarBuilder.archive([.init(name: "function.yaml", contents: Data(Self.manifest.utf8))])
            #expect(try await put(good, on: node).status < 300)
            let before = try snapshotFiles(of: node)
            let manifest = TarBuilder.Entry(name: "function.yaml", contents: Data(Self.manifest.utf8))
            let hostile: [(String, Data)] = [
                ("..", TarBuilder.archive([manifest, .init(name: "../../etc/cron.d/x", contents: Data("x".utf8))])),
                ("absolute", TarBuilder.archive([manifest, .init(name: "/etc/x", contents: Data("x".utf8))])),
                (
                    "link",
                    TarBuilder.archive([manifest, .init(name: "model", type: UInt8(ascii: "2"), link: "/etc/passwd")])
                ),
                (
                    "hard link",
                    TarBuilder.archive([manifest, .init(name: "model", type: UInt8(ascii: "1"), link: "function.yaml")])
                ),
                ("device", TarBuilder.archive([manifest, .init(name: "null", type: UInt8(ascii: "3"))])),
                ("twice", TarBuilder.archive([manifest, manifest])),
                (
                    "bomb",
                    TarBuilder.archive([manifest, .init(name: "model/x", claimedSize: 0o7777_7777_777)])
                ),
                ("no manifest", TarBuilder.archive([.init(name: "README", contents: Data("x".utf8))])),
                ("no archive", Data("these are not the bytes of an archive".utf8)),
                ("compressed", Data([0x1f, 0x8b, 8, 0] + [UInt8](repeating: 7, count: 600))),
                ("truncated", good.prefix(600)),
                ("empty", Data()),
            ]
            for (name, archive) in hostile {
                let answer = try await put(archive, on: node)
                #expect((400...499).contains(answer.status), "\(name): \(answer.status) \(answer.text)")
                #expect(answer.text.contains("message"), "\(name) comes with a sentence")
            }
            #expect(try snapshotFiles(of: node) == before)
            #expect(try await node.invoke("victim", "alive").text == "alive")
        }
    }

    @Test func `hostile model files are refused with what is wrong`() async throws {
        try await withNode { node in
            let manifest = Data("name: victim\nruntime: model\nmodel:\n  source: model.onnx\n  task: classify\n".utf8)
            let digits = try Data(contentsOf: Tree.functions.appendingPathComponent("digits/digits.onnx"))
            var altered = digits
            for index in stride(from: 0, to: min(altered.count, 2000), by: 7) { altered[index] ^= 0x5a }
            for (name, model) in [
                ("truncated", digits.prefix(digits.count / 2)), ("altered", altered), ("empty", Data()),
                ("pickle", Data([0x80, 0x02, 0x7d, 0x71, 0x00, 0x2e])),
                ("random", Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) })),
            ] {
                let archive = TarBuilder.archive([
                    .init(name: "function.yaml", contents: manifest), .init(name: "model.onnx", contents: model),
                ])
                let answer = try await put(archive, on: node)
                #expect((400...499).contains(answer.status), "\(name): \(answer.status) \(answer.text)")
            }
            #expect(try snapshotFiles(of: node).isEmpty)
            #expect(try await node.request("GET", "/functions/victim").status == 404)
        }
    }

    @Test func `a wrong manifest is refused with line and column, by the command line and by the node`() async throws {
        try await withNode { node in
            let text = "name: victim\nruntime: model\nlimits:\n  tiemout: 3s\n"
            let bundle = try TrialBundle(text)
            defer { bundle.remove() }
            let local = try await node.thaw("deploy", bundle.path)
            #expect(local.status == 1)
            #expect(local.errors.contains("4:3") && local.errors.contains("tiemout"), "\(local.errors)")
            let remote = try await put(
                TarBuilder.archive([.init(name: "function.yaml", contents: Data(text.utf8))]),
                on: node
            )
            #expect(remote.status == 400)
            #expect(remote.text.contains("4:3"), "\(remote.text)")
        }
    }

    @Test func `a bundle without its model says which command brings it`() async throws {
        try await withNode { node in
            let bundle = try TrialBundle(
                "name: victim\nruntime: model\nfetch: ./fetch\nmodel:\n  source: model\n  task: embed\n"
            )
            defer { bundle.remove() }
            let outcome = try await node.thaw("deploy", bundle.path)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("fetch"), "\(outcome.errors)")
        }
    }

    @Test func `an unknown function is 404, malformed input 400 with what was expected`() async throws {
        try await withNode { node in
            #expect(try await node.invoke("nobody", "{}").status == 404)
            let digits = Tree.functions.appendingPathComponent("digits").path
            #expect(try await node.thaw("deploy", digits).status == 0)
            let malformed = try await node.invoke("digits", #"{"image": [1, 2"#)
            #expect(malformed.status == 400)
            let short = try await node.invoke("digits", #"{"image": [1, 2, 3]}"#)
            #expect(short.status == 400)
            #expect(short.text.contains("64") && short.text.contains("3"), "\(short.text)")
            let unknown = try await node.request(
                "POST",
                "/functions/digits/invocations?qualifier=9",
                body: Data("{}".utf8)
            )
            #expect(unknown.status == 404)
        }
    }

    @Test func `a body over the limit is 413 before it is read`() async throws {
        try await withNode { node in
            let bundle = try TrialBundle.echo("small", "limits:\n  payload: 1KiB\n")
            defer { bundle.remove() }
            #expect(try await node.thaw("deploy", bundle.path).status == 0)
            #expect(try await node.invoke("small", String(repeating: "x", count: 1024)).status == 200)
            #expect(try await node.invoke("small", String(repeating: "x", count: 1025)).status == 413)
            // Announced and never sent: the answer comes all the same.
            let head =
                "POST /functions/small/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n"
            let answer = try RawConnection.exchange(port: node.port, head)
            #expect(answer.hasPrefix("HTTP/1.1 413"), "\(answer.prefix(80))")
        }
    }

    @Test(.enabled(if: Tree.isRoot, "mounting a small file system needs root"))
    func `a full disk while deploying refuses, and the old version serves`() async throws {
        let folder = try TrialNode.freshDirectory()
        let mounted = try await CommandOutcome.run("/bin/mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder])
        try #require(mounted.status == 0, "\(mounted.errors)")
        let node = try await TrialNode(programs: Tree.programs, dataDirectory: folder)
        let small = try TrialBundle.echo("victim")
        defer { small.remove() }
        #expect(try await node.thaw("deploy", small.path).status == 0)
        let large = try TrialBundle(
            "name: victim\nruntime: model\nmodel:\n  source: model.onnx\n  task: tensor\n",
            files: ["model.onnx": Data(count: 40 << 20)]
        )
        defer { large.remove() }
        let refused = try await node.thaw("deploy", large.path)
        #expect(refused.status == 1)
        #expect(refused.errors.contains("ENOSPC") && refused.errors.contains("507"), "\(refused.errors)")
        #expect(try await node.invoke("victim", "alive").text == "alive")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/snapshots/incoming").isEmpty)
        await node.stop()
        _ = try await CommandOutcome.run("/bin/umount", [folder])
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// A socket that sends exactly these bytes.
enum RawConnection {
    /// - Returns: what came back until the other side closed or a second passed in silence.
    static func exchange(port: Int, _ request: String) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw CocoaError(.fileReadUnknown) }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        _ = request.withCString { write(descriptor, $0, strlen($0)) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    }
}
