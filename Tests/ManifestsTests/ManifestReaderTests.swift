import Testing

@testable import Manifests

private func read(_ yaml: String) throws -> Manifest {
    try Manifest.parse(yaml: yaml, file: "function.yaml")
}

/// The error as the author sees it.
private func refusal(_ yaml: String) -> String {
    do throws(ManifestError) {
        _ = try Manifest.parse(yaml: yaml, file: "function.yaml")
        return "not refused"
    } catch {
        return error.description
    }
}

@Suite struct `A manifest` {
    @Test func `needs a name and has a default for everything else`() throws {
        #expect(try read("name: echo") == Manifest(name: "echo"))
        let manifest = Manifest(name: "echo")
        #expect(manifest.task == .echo)
        #expect(
            manifest.limits == FunctionLimits(memoryBytes: nil, timeoutMilliseconds: 30_000, payloadBytes: 16 << 20)
        )
        #expect(manifest.scaling == Scaling(min: 0, max: nil, idleMilliseconds: 10_000))
        #expect(manifest.concurrency == 1)
    }

    @Test func `says everything that can be said`() throws {
        let manifest = try read(
            """
            name: digits
            description: Reads a digit of 8 × 8 pixels.
            runtime: model
            model:
              source: ./model.onnx
              task: classify
              labels: ["zero", "one"]
            precision: auto
            golden: {file: ./golden/check.json, tolerance: 1e-3}
            fetch: ./fetch
            limits: {memory: 512MiB, timeout: 1500ms, payload: 4096}
            concurrency: 1
            batching: {max: 8, delay: 5ms}
            scaling: {min: 1, max: 4, idle: 1m}
            route: /digits/v1
            environment:
              GREETING: hello
            """
        )
        let expected = Manifest(
            name: "digits",
            description: "Reads a digit of 8 × 8 pixels.",
            model: ModelReference(source: "model.onnx", task: .classify, labels: ["zero", "one"]),
            precision: .auto,
            golden: GoldenReference(file: "golden/check.json", tolerance: 0.001),
            fetch: "fetch",
            limits: FunctionLimits(memoryBytes: 512 << 20, timeoutMilliseconds: 1500, payloadBytes: 4096),
            batching: Batching(max: 8, delayMilliseconds: 5),
            scaling: Scaling(min: 1, max: 4, idleMilliseconds: 60_000),
            route: "/digits/v1",
            environment: ["GREETING": "hello"]
        )
        #expect(manifest == expected)
    }

    @Test func `with task none has no model`() throws {
        #expect(try read("name: echo\nmodel: {task: none}") == Manifest(name: "echo"))
    }
}

@Suite struct `A mistake in a manifest is told with its line and column` {
    @Test(arguments: [
        (
            "name: a\nlimits:\n  tiemout: 5s\n",
            "function.yaml:3:3: unknown key \"tiemout\" in limits; did you mean \"timeout\"? known keys: init, "
                + "memory, payload, timeout, tmp"
        ),
        (
            "name: a\ncolour: red\n",
            "function.yaml:2:1: unknown key \"colour\" in the manifest; known keys: batching, build, calls, code, "
                + "concurrency, description, environment, events, fetch, golden, handler, layers, limits, model, name, network, precision, route, "
                + "runtime, scaling, schedules, sources, threads"
        ),
        (
            "name: a\nschedules: [{zone: UTC}]\n",
            "function.yaml:2:13: a schedule's expression is missing; it is cron(…), rate(…) or at(…)"
        ),
        (
            "name: a\nschedules:\n  - expression: rate(1 day)\n    missed: never\n",
            "function.yaml:4:13: missed should be one of skip, once, all, got \"never\""
        ),
        ("description: x\n", "function.yaml:1:1: name is missing; a function is called by it"),
        ("", "function.yaml:1:1: the manifest is empty; at least name is needed"),
        (
            "- a\n- b\n",
            "function.yaml:1:1: the manifest should be a mapping of name, description, runtime, model, "
                + "handler, code, layers, network, calls, precision, golden, fetch, build, limits, threads, concurrency, batching, scaling, route, environment, events, sources, schedules, got a list"
        ),
        (
            "name: 7\n",
            "function.yaml:1:7: name should be text, got the number 7; put it in quotes if text is what you mean"
        ),
        (
            "name: no\n",
            "function.yaml:1:7: name should be text, got the truth value no; put it in quotes if text is what you mean"
        ),
        ("name:\nroute: /a\n", "function.yaml:1:1: name should be text, got nothing"),
        (
            "name: Über\n",
            "function.yaml:1:7: name should be 1 to 63 of a-z, 0-9 and -, without - at either end, got \"Über\""
        ),
        ("name: a\nname: b\n", "function.yaml:1:1: not valid YAML: the key \"name\" is written twice"),
        (
            "name: a\nruntime: python\n",
            "function.yaml:2:10: runtime should be one of model, provided, python3, swift, got \"python\""
        ),
        (
            "name: a\nruntime: python3\n",
            "function.yaml:1:1: handler is missing; for Python it is module.function, such as app.handler for app.py"
        ),
        (
            "name: a\nruntime: python3\nhandler: app\n",
            "function.yaml:3:10: handler should be module.function, such as app.handler for app.py, got \"app\""
        ),
        (
            "name: a\nhandler: app.handler\n",
            "function.yaml:2:10: handler is for code, and runtime model runs none; drop one of them"
        ),
        (
            "name: a\nruntime: provided\nbatching: {max: 4}\n",
            "function.yaml:3:11: batching is for models, and runtime provided runs code; drop it"
        ),
        (
            "name: a\nprecision: int4\n",
            "function.yaml:2:12: precision should be one of f32, bf16, int8, auto, got \"int4\""
        ),
        (
            "name: a\ngolden: {tolerance: 0.1}\n",
            "function.yaml:2:9: golden.file is missing; it is the path in the bundle of a JSON file with inputs and "
                + "outputs"
        ),
        (
            "name: a\ngolden: {file: g.json, tolerance: 0}\n",
            "function.yaml:2:35: golden.tolerance should be a number above 0 and at most 1.0, got the number 0"
        ),
        (
            "name: a\nmodel: {task: sing}\n",
            "function.yaml:2:15: model.task should be one of embed, classify, rank, tag, tensor, none, got \"sing\""
        ),
        (
            "name: a\nmodel: {source: m}\n",
            "function.yaml:2:8: model.task is missing; it is one of embed, classify, rank, tag, tensor, none"
        ),
        (
            "name: a\nmodel: {task: embed}\n",
            "function.yaml:2:8: model.source is missing; it is the path in the bundle of a directory in Hugging Face "
                + "layout or of an .onnx file"
        ),
        (
            "name: a\nmodel: {task: none, source: m}\n",
            "function.yaml:2:29: model.source is given, but task none has no model; drop one of them"
        ),
        (
            "name: a\nmodel: {task: embed, source: m, labels: [x]}\n",
            "function.yaml:2:41: model.labels names classes, so it goes with task classify or tag, not embed"
        ),
        (
            "name: a\nmodel: {task: embed, source: ../m}\n",
            "function.yaml:2:30: model.source should be a relative path inside the bundle, without .., got \"../m\""
        ),
        (
            "name: a\nmodel: {task: embed, source: /etc}\n",
            "function.yaml:2:30: model.source should be a relative path inside the bundle, without .., got \"/etc\""
        ),
        (
            "name: a\nlimits: {timeout: 30}\n",
            "function.yaml:2:19: limits.timeout should be a duration such as \"30s\" (units: ms, s, m, h), got the "
                + "number 30"
        ),
        (
            "name: a\nlimits: {timeout: 16m}\n",
            "function.yaml:2:19: limits.timeout should be between 1 ms and 900000 ms, got 960000"
        ),
        (
            "name: a\nlimits: {memory: 512Mi}\n",
            "function.yaml:2:18: limits.memory should be a size such as \"512MiB\" (units: B, KiB, MiB, GiB, kB, MB, "
                + "GB) or a number of bytes, got \"512Mi\""
        ),
        (
            "name: a\nlimits: {payload: 65MiB}\n",
            "function.yaml:2:19: limits.payload should be between 1 and 67108864 bytes, got 68157440"
        ),
        (
            "name: a\nlimits: 5\n",
            "function.yaml:2:9: limits should be a mapping of memory, timeout, payload, tmp, init, got the number 5"
        ),
        (
            "name: a\nbatching: {max: 1}\n",
            "function.yaml:2:17: batching.max should be between 2 and 128, got 1"
        ),
        (
            "name: a\nconcurrency: 2\nbatching: {}\n",
            "function.yaml:3:11: batching runs calls together, and concurrency one beside the other; drop one of them"
        ),
        (
            "name: a\nconcurrency: 65\n",
            "function.yaml:2:14: concurrency should be between 1 and 64, got 65"
        ),
        (
            "name: a\nscaling: {min: -1}\n",
            "function.yaml:2:16: scaling.min should be a whole number of 0 or more, got the number -1"
        ),
        ("name: a\nscaling: {min: 3, max: 2}\n", "function.yaml:2:24: scaling.max is 2, below scaling.min, which is 3"),
        (
            "name: a\nroute: digits\n",
            "function.yaml:2:8: route should be a path such as \"/digits\": segments of letters, "
                + "digits, -, ., _ and ~, each after a /, got \"digits\""
        ),
        (
            "name: a\nroute: /functions/x\n",
            "function.yaml:2:8: route may not begin with /functions, which Thaw answers "
                + "itself; choose another first word"
        ),
        (
            "name: a\nenvironment: {PORT: 80}\n",
            "function.yaml:2:21: environment.PORT should be text, got the number 80; put "
                + "it in quotes if text is what you mean"
        ),
        (
            "name: a\nenvironment: {A-B: x}\n",
            "function.yaml:2:15: an environment name is letters, digits and _, not a digit "
                + "first, got \"A-B\""
        ),
        (
            "name: a\nscaling: {max: 1\n",
            "function.yaml:3:1: not valid YAML: while parsing a flow mapping: did not find "
                + "expected ',' or '}'"
        ),
        (
            "name: a\n\troute: /x\n",
            "function.yaml:2:1: not valid YAML: while scanning a plain scalar: found a tab character "
                + "that violates indentation"
        ),
        (
            "name: &n a\n",
            "function.yaml:1:7: anchors (&name) and aliases (*name) are not used in a manifest; write the "
                + "value out"
        ),
        (
            "name: a\n---\nname: b\n",
            "function.yaml:2:1: not valid YAML: expected a single document in the stream: but found another document"
        ),
    ])
    func `in a sentence`(yaml: String, message: String) {
        #expect(refusal(yaml) == message)
    }

    @Test func `also where the whole file is at fault`() {
        let long = "name: a\ndescription: \"" + String(repeating: "x", count: 70_000) + "\"\n"
        #expect(refusal(long).hasPrefix("function.yaml: a manifest may have 65536 bytes, this one has 700"))
        #expect(
            throws: ManifestError(file: "f", line: 0, column: 0, message: "the manifest is not UTF-8 text")
        ) {
            try Manifest.parse(bytes: [0x6E, 0xFF], file: "f")
        }
    }
}

@Suite struct `A hostile manifest costs little` {
    @Test func `a billion laughs are refused before they are told`() {
        var yaml = "name: a\nl0: &l0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            let aliases = Array(repeating: "*l\(level - 1)", count: 9).joined(separator: ", ")
            yaml += "l\(level): &l\(level) [\(aliases)]\n"
        }
        // As a key, the library would hash every laugh.
        yaml += "? *l12\n: 1\n"
        #expect(refusal(yaml).contains("anchors (&name) and aliases (*name) are not used in a manifest"))
    }

    @Test(arguments: ["[", "{a: ", "- "])
    func `nesting is bounded`(opening: String) {
        let message = refusal("name: a\nlimits: " + String(repeating: opening, count: 15_000))
        #expect(message.hasPrefix("function.yaml"))
    }

    @Test func `any bytes are a manifest or a sentence, never a trap`() throws {
        let original = Array(
            """
            name: digits
            model: {source: model.onnx, task: classify, labels: ["a", 'b']}
            limits: {memory: 512MiB, timeout: 1500ms, payload: 4096}
            scaling: {min: 1, max: 4, idle: 1m}
            route: /digits   # &x *x !!int "\\u263A"
            environment: {A: "1", B: |-
              two}
            """.utf8
        )
        var generator = SeededGenerator(state: 7)
        var refusals = 0
        for _ in 0..<1500 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                let signs = Array("&*!|>'\"%@`{}[]:,-?#~\n\t 0aé".utf8) + [0, 0x85, 0xFF]
                if Bool.random(using: &generator) {
                    bytes[place] = signs.randomElement(using: &generator) ?? 0
                } else {
                    bytes.insert(signs.randomElement(using: &generator) ?? 0, at: place)
                }
            }
            do throws(ManifestError) {
                _ = try Manifest.parse(bytes: bytes, file: "function.yaml")
            } catch {
                refusals += 1
            }
        }
        #expect(refusals > 800)
    }
}

/// splitmix64: the same numbers each time.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
