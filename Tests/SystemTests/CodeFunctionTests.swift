import Foundation
import Testing
import Trials

/// Functions that run their author's program, on a real node.
@Suite(
    .serialized,
    .enabled(if: Tree.isRoot && Tree.hasPython, "the programs are in Python, in namespaces of their own")
)
struct CodeFunctionTests {
    private func withFunction(
        _ manifest: String,
        _ files: [String: String],
        _ body: (TrialNode) async throws -> Void
    ) async throws {
        let node = try await TrialNode(programs: Tree.programs, arguments: [])
        let bundle = try TrialBundle(manifest, files: files.mapValues { Data($0.utf8) })
        defer {
            bundle.remove()
            node.removeData()
        }
        let deployed = try await node.thaw("deploy", bundle.path)
        try #require(deployed.status == 0, "\(deployed.errors)")
        try await body(node)
        #expect(await node.stop() == 0)
    }

    private func withPython(_ body: (TrialNode) async throws -> Void) async throws {
        let limits = "limits:\n  timeout: 1s\n  memory: 128MiB\n  tmp: 4MiB\nscaling:\n  idle: 3s\n"
        let manifest = "name: code\nruntime: python3\nhandler: app.handler\n\(limits)"
        try await withFunction(manifest, ["app.py": Self.python], body)
    }

    private func withProgram(_ settings: String = "", _ body: (TrialNode) async throws -> Void) async throws {
        let limits = "limits:\n  timeout: 2s\n  init: 1s\n\(settings)"
        try await withFunction("name: code\nruntime: provided\n\(limits)", ["bootstrap": Self.program], body)
    }

    @Test func `a Python function keeps what it imported, streams, and rests without a process`() async throws {
        try await withPython { node in
            let cold = try await node.invoke("code", #"{"act": "count"}"#)
            #expect(cold.status == 200 && cold.text == "1", "\(cold.text)")
            #expect(cold.headers["thaw-start"] == "cold")
            let hot = try await node.invoke("code", #"{"act": "count"}"#)
            #expect(hot.text == "2" && hot.headers["thaw-start"] == "hot")
            #expect(try await node.invoke("code", #"{"act": "stream"}"#).text == "one\ntwo\n")
            #expect(try await node.until(seconds: 10) { ProcessTable.children(of: $0.pid).isEmpty })
            #expect(try await node.invoke("code", #"{"act": "count"}"#).text == "1")
        }
    }

    @Test func `the processor time of a program is on the call's receipt`() async throws {
        try await withPython { node in
            let answer = try await node.invoke("code", #"{"act": "work"}"#)
            let id = try #require(answer.headers["thaw-invocation-id"])
            let reply = try await node.request("GET", "/receipts/\(id)")
            let receipt = try #require(try JSONSerialization.jsonObject(with: reply.body) as? [String: Any])
            let text = String(decoding: reply.body, as: UTF8.self)
            let used = (receipt["last"] as? [String: Any] ?? receipt)["cpuNanoseconds"] as? Int ?? 0
            // The program stops when its own clock has counted 100 ms; the kernel's books may lag by a tick.
            #expect(used > 90_000_000, "\(text)")
        }
    }

    @Test(arguments: [
        (#"{"act": "raise"}"#, 502, "no such luck"), (#"{"act": "exit"}"#, 502, "exit status 3"),
        (#"{"act": "leave"}"#, 502, "exit status 4"), (#"{"act": "hang"}"#, 504, "timeout of 1000 ms"),
        (#"{"act": "memory"}"#, 502, "the limit of 134217728 bytes was exceeded"),
        (#"{"act": "connect"}"#, 502, "Network is unreachable"), (#"{"act": "write"}"#, 502, "Read-only file system"),
        (#"{"act": "large"}"#, 502, "Function.ResponseSizeTooLarge"), ("no JSON", 502, "JSONDecodeError"),
        (#"{"act": "disk"}"#, 502, "No space left on device"),
    ])
    func `a fault of Python code is told by its name, and the next call is answered`(
        body: String,
        status: Int,
        words: String
    ) async throws {
        try await withPython { node in
            let answer = try await node.invoke("code", body)
            #expect(answer.status == status && answer.text.contains(words), "\(answer.text)")
            let next = try await node.invoke("code", #"{"act": "count"}"#)
            #expect(next.status == 200, "\(next.text)")
        }
    }

    @Test func `a Python function that cannot be imported says why`() async throws {
        let manifest = "name: code\nruntime: python3\nhandler: app.handler\n"
        try await withFunction(manifest, ["app.py": "import nothing_of_this_name\n"]) { node in
            let answer = try await node.invoke("code", "{}")
            #expect(answer.status == 502 && answer.text.contains("nothing_of_this_name"), "\(answer.text)")
        }
    }

    @Test func `a program that speaks the Runtime API answers, streams and fails by its own words`() async throws {
        try await withProgram { node in
            let cold = try await node.invoke("code", "hello")
            #expect(cold.status == 200 && cold.text == "1 hello", "\(cold.text)")
            #expect(try await node.invoke("code", "again").text == "2 again")
            #expect(try await node.invoke("code", "stream").text == "part 0\npart 1\n")
            let failed = try await node.invoke("code", "error")
            #expect(failed.status == 502 && failed.text.contains("MyError"), "\(failed.text)")
            let log = try await node.thaw("logs", "code")
            #expect(log.output.contains("START RequestId: ") && log.output.contains("REPORT RequestId: "))
        }
    }

    @Test func `a thousand calls go over one connection`() async throws {
        try await withProgram { node in
            for number in 1...1000 {
                let answer = try await node.invoke("code", "x")
                try #require(answer.text == "\(number) x", "\(answer.text)")
            }
        }
    }

    @Test(arguments: [
        ("exit", 502, "exit status 3"), ("large", 502, "Function.ResponseSizeTooLarge"),
        ("cut", 502, "Runtime.TruncatedResponse"), ("garbage", 200, "400 Bad Request"),
        ("stranger", 200, "InvalidRequestID"), ("bomb", 200, "Resource temporarily unavailable"),
        ("namespace", 200, "[1, 1, 1]"),
    ])
    func `a fault of a program is told by its name, and the next call is answered`(
        body: String,
        status: Int,
        words: String
    ) async throws {
        try await withProgram { node in
            let answer = try await node.invoke("code", body)
            #expect(answer.status == status && answer.text.contains(words), "\(answer.text)")
            let next = try await node.invoke("code", "hello")
            #expect(next.status == 200, "\(next.text)")
        }
    }

    @Test(arguments: [("DIE", "exit status 7"), ("SLEEP", "limits.init"), ("COMPLAIN", "NoGood: not today")])
    func `a program that does not come up says why`(variable: String, words: String) async throws {
        try await withProgram("environment:\n  \(variable): \"yes\"\n") { node in
            let answer = try await node.invoke("code", "hello")
            #expect(answer.status == 502 && answer.text.contains(words), "\(answer.text)")
        }
    }
}

extension CodeFunctionTests {
    private static let python = """
        import json, os, socket, sys, time
        count = 0
        def handler(event, context):
            global count
            count += 1
            act = (event if isinstance(event, dict) else json.loads(event))["act"]
            if act == "disk":
                with open("/tmp/file", "wb") as file: file.write(b"x" * 5_000_000)
            if act == "stream": return (line for line in ("one\\n", "two\\n"))
            if act == "work":
                while time.process_time() < 0.1: pass
            if act == "raise": raise ValueError("no such luck")
            if act == "exit": os._exit(3)
            if act == "leave": sys.exit(4)
            if act == "hang": time.sleep(100)
            if act == "connect": socket.create_connection(("192.0.2.1", 80), 1)
            if act == "write": open("/usr/here", "w")
            if act == "large": return "x" * 7_000_000
            if act == "memory":
                hoard = []
                while True: hoard.append(b"x" * 10_000_000 + bytes([len(hoard)]))
            return count

        """

    private static let program = """
        #!/usr/bin/python3
        import ctypes, http.client, json, os, socket, sys, time
        host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
        api = http.client.HTTPConnection(host, int(port))
        base = "/2018-06-01/runtime/"
        if "DIE" in os.environ: sys.exit(7)
        if "SLEEP" in os.environ: time.sleep(100)
        if "COMPLAIN" in os.environ:
            api.request("POST", base + "init/error", json.dumps({"errorMessage": "not today", "errorType": "NoGood"}))
            api.getresponse().read()
            sys.exit(1)
        def raw(request):
            with socket.create_connection((host, int(port))) as other:
                other.sendall(request)
                return other.recv(1000).decode()
        count = 0
        while True:
            api.request("GET", base + "invocation/next")
            call = api.getresponse()
            act = call.read().decode()
            id = call.headers["Lambda-Runtime-Aws-Request-Id"]
            count += 1
            path, reply = f"{base}invocation/{id}/response", f"{count} {act}"
            if act == "exit": os._exit(3)
            if act == "large": reply = "x" * 7_000_000
            if act == "garbage": reply = raw(b"GARBAGE\\r\\n\\r\\n")
            if act == "stranger": reply = raw(f"POST {base}invocation/no/response HTTP/1.1\\r\\n\\r\\n".encode())
            if act == "error": path, reply = path[:-8] + "error", json.dumps({"errorMessage": "oh", "errorType": "MyError"})
            if act == "namespace":
                c = ctypes.CDLL(None, use_errno=True)
                reply = []
                for attempt in (lambda: c.unshare(0x10000000), lambda: c.mount(b"no", b"/tmp", b"tmpfs", 0, None),
                                lambda: c.ptrace(0, 0, 0, 0)):
                    attempt()
                    reply.append(ctypes.get_errno())
                reply = str(reply)
            if act == "bomb":
                try:
                    while True:
                        if os.fork() == 0: time.sleep(100)
                except OSError as error:
                    reply = str(error)
            if act == "cut":
                with socket.create_connection((host, int(port))) as other:
                    other.sendall(f"POST {path} HTTP/1.1\\r\\nContent-Length: 100\\r\\n\\r\\nhalf".encode())
                continue
            if act == "stream":
                headers = {"Lambda-Runtime-Function-Response-Mode": "streaming", "Transfer-Encoding": "chunked"}
                pieces = (b"%x\\r\\n%s\\r\\n" % (7, b"part %d\\n" % part) for part in range(2))
                api.putrequest("POST", path)
                for name, value in headers.items(): api.putheader(name, value)
                api.endheaders()
                for piece in pieces: api.send(piece)
                api.send(b"0\\r\\n\\r\\n")
            else:
                api.request("POST", path, reply.encode())
            api.getresponse().read()

        """
}
