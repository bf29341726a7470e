import Foundation
import Testing
import Trials

/// Workers of one Python function on a real node, each other's strangers though they are forks of one process.
@Suite(
    .serialized,
    .enabled(if: Tree.isRoot && Tree.hasPython, "the programs are in Python, in namespaces of their own")
)
struct PythonCellTests {
    /// What a worker saw, between a mark of its own and the end of its call.
    private struct Sight: Decodable {
        let worker: String
        let pid: Int
        let files: [String]
        let imported: String
        let processes: [Int]
        let canBind: Bool
        let canShare: Bool
        let killed: [Int]
        let power: [Int]
        let random: String
    }

    private func withFunction(
        _ settings: String = "",
        _ body: (TrialNode) async throws -> Void
    ) async throws {
        let node = try await TrialNode(programs: Tree.programs, arguments: [])
        let manifest = "name: cells\nruntime: python3\nhandler: app.handler\n\(settings)"
        let bundle = try TrialBundle(manifest, files: ["app.py": Data(Self.program.utf8)])
        defer {
            bundle.remove()
            node.removeData()
        }
        let deployed = try await node.thaw("deploy", bundle.path)
        try #require(deployed.status == 0, "\(deployed.errors)")
        try await body(node)
        #expect(await node.stop() == 0)
    }

    private func see(_ node: TrialNode) async throws -> Sight {
        let answer = try await node.invoke("cells", #"{"act": "look"}"#)
        try #require(answer.status == 200, "\(answer.text)")
        return try JSONDecoder().decode(Sight.self, from: answer.body)
    }

    @Test func `workers of one function see nothing of one another`() async throws {
        let limits = "limits:\n  timeout: 10s\n  memory: 128MiB\n  tmp: 4MiB\nscaling:\n  max: 2\n"
        try await withFunction(limits) { node in
            async let one = see(node)
            async let other = see(node)
            let sights = try await [one, other]
            try #require(sights[0].worker != sights[1].worker, "the calls were meant to overlap")
            // OpenSSL tells forks by their number, and has drawn before.
            #expect(sights[0].random != sights[1].random)
            for sight in sights {
                // Three of its four mebibytes, beside as many of the other's.
                #expect(sight.files == [sight.worker, "imported"].sorted())
                #expect(sight.imported == "at import")
                // Its child, itself, and the cell's own.
                #expect(sight.processes.count == 3 && sight.processes.contains(sight.pid))
                // The same port and the same key, while the other holds its own.
                #expect(sight.canBind && sight.canShare)
                // Signals to every number there is.
                #expect(sight.killed.isEmpty)
                // EPERM of entering namespaces, of mounting, and of looking into the cell's first process; no capability.
                #expect(sight.power == [1, 1, 13, 0])
                // A number of its own: how libraries find out that they were forked.
                #expect(sight.pid >= 1000)
            }
        }
    }

    @Test func `what a worker leaves in tmp is there for its own next call and gone with it`() async throws {
        try await withFunction("limits:\n  tmp: 4MiB\nscaling:\n  max: 1\n") { node in
            #expect(try await node.invoke("cells", #"{"act": "keep"}"#).text == #"["imported"]"#)
            #expect(try await node.invoke("cells", #"{"act": "keep"}"#).text == #"["imported", "kept"]"#)
            _ = try await node.invoke("cells", #"{"act": "exit"}"#)
            #expect(try await node.invoke("cells", #"{"act": "keep"}"#).text == #"["imported"]"#)
        }
    }

    @Test(arguments: ["exit", "hang"])
    func `what a worker has forked ends with it`(act: String) async throws {
        try await withFunction("limits:\n  timeout: 1s\nscaling:\n  max: 1\n") { node in
            let mark = "thaw-stray-\(UUID().uuidString)"
            let answer = try await node.invoke("cells", #"{"act": "\#(act)", "stray": "\#(mark)"}"#)
            #expect(answer.status == (act == "exit" ? 502 : 504), "\(answer.text)")
            #expect(try await node.until(seconds: 10) { _ in !ProcessTable.hasProcess(named: mark) })
            #expect(try await node.invoke("cells", #"{"act": "keep"}"#).status == 200)
        }
    }

    @Test func `descriptors that a program has in flight keep nobody else from sending theirs`() async throws {
        try await withFunction("limits:\n  timeout: 10s\n") { node in
            let answer = try await node.invoke("cells", #"{"act": "hoard"}"#)
            #expect((Int(answer.text) ?? 0) > 900, "\(answer.text)")
            // A packer, a template, a zygote and a worker come up, all of which are sent some.
            let bundle = try TrialBundle(
                "name: other\nruntime: python3\nhandler: app.handler\n",
                files: ["app.py": Data("def handler(event, context): return event\n".utf8)]
            )
            defer { bundle.remove() }
            let deployed = try await node.thaw("deploy", bundle.path)
            #expect(deployed.status == 0, "\(deployed.errors)")
            #expect(try await node.invoke("other", "1").text == "1")
        }
    }

    @Test func `a worker that kills all that it can reach hurts nobody else`() async throws {
        try await withFunction("limits:\n  timeout: 10s\nscaling:\n  max: 2\n") { node in
            async let bystander = see(node)
            let answer = try await node.invoke("cells", #"{"act": "rampage"}"#)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try await bystander.killed.isEmpty)
            #expect(try await node.invoke("cells", #"{"act": "keep"}"#).status == 200)
        }
    }
}

extension PythonCellTests {
    private static let program = """
        import ctypes, json, os, signal, socket, ssl, sys, time
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/tmp/imported", "w") as file: file.write("at import")
        os.chmod("/tmp/imported", 0o600)
        worker = None
        ssl.RAND_bytes(8)

        def refusal(result):
            return ctypes.get_errno() if result < 0 else 0

        def kill(number):
            try:
                os.kill(number, signal.SIGKILL)
                return True
            except ProcessLookupError:
                return False

        def look():
            with open("/tmp/" + worker, "wb") as file: file.write(bytes(3_000_000))
            with open("/tmp/imported") as file: imported = file.read()
            os.write(os.open("/tmp/imported", os.O_WRONLY), b"by another")
            listener = socket.socket()
            try:
                listener.bind(("127.0.0.1", 4321))
                listener.listen()
                with socket.create_connection(("127.0.0.1", 4321), 1): can_bind = True
            except OSError: can_bind = False
            # IPC_CREAT | IPC_EXCL
            can_share = libc.shmget(4321, 4096, 0o3600) >= 0
            child = os.fork()
            if child == 0:
                time.sleep(100)
                os._exit(0)
            # The other's call begins and looks, too.
            time.sleep(1)
            processes = sorted(int(name) for name in os.listdir("/proc") if name.isdecimal())
            killed = [number for number in range(2, 33000) if number not in (os.getpid(), child) and kill(number)]
            own = os.open("/proc/self/ns/mnt", os.O_RDONLY)
            try: look_inside = open("/proc/1/mem", "r+b") and 0
            except OSError as error: look_inside = error.errno
            with open("/proc/self/status") as file:
                power = sum(int(line.split()[1], 16) for line in file if line[:6] in ("CapInh", "CapPrm", "CapEff", "CapAmb"))
            refusals = [refusal(libc.setns(own, 0x20000)), refusal(libc.mount(b"no", b"/tmp", b"tmpfs", 0, None)), look_inside, power]
            files = sorted(os.listdir("/tmp"))
            kill(child)
            return {"worker": worker, "pid": os.getpid(), "files": files, "imported": imported, "processes": processes,
                    "canBind": can_bind, "canShare": can_share, "killed": killed, "power": refusals,
                    "random": ssl.RAND_bytes(8).hex()}

        def stray(mark):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0: os.execv("/bin/sleep", [mark, "1000"])
                # Holds the connection that its calls come on, as a copy of the program.
                if os.fork() == 0: time.sleep(1000)
                os._exit(0)

        def handler(event, context):
            global worker
            worker = worker or os.urandom(8).hex()
            if "stray" in event: stray(event["stray"])
            if event["act"] == "look": return look()
            if event["act"] == "exit": os._exit(3)
            if event["act"] == "hang": time.sleep(100)
            if event["act"] == "hoard":
                global hoard
                hoard, count = [], 0
                try:
                    while True:
                        hoard.append(socket.socketpair())
                        socket.send_fds(hoard[-1][0], [b"x"], [0] * 50)
                        count += 50
                except OSError: return count
            if event["act"] == "rampage":
                try: os.kill(-1, signal.SIGKILL)
                except ProcessLookupError: pass
                for number in range(1, 33000):
                    if number != os.getpid(): kill(number)
                time.sleep(0.1)
            files = sorted(os.listdir("/tmp"))
            with open("/tmp/kept", "w") as file: file.write("here")
            return files

        """
}
