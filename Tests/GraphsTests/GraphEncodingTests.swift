import Testing

@testable import Graphs

@Suite struct `An encoded graph` {
    /// With every kind of port, constant and setting, and a body that reads what is around it.
    private static let graph = Graph(
        valueCount: 7,
        constants: [
            Graph.Constant(1, name: "w", element: .f16, shape: [2, 0]),
            Graph.Constant(2, name: "", element: .string, shape: [2], strings: ["a", "ß"]),
        ],
        inputs: [
            Graph.Port("x", 0, element: .f32, shape: [.open("n"), .fixed(2), .open("")]),
            Graph.Port("w", 1, kind: .optional, element: nil, shape: nil, hasDefault: true),
        ],
        outputs: [Graph.Port("y", 4, kind: .sequence, element: .i64, shape: [])],
        bodies: [
            Graph.Body(
                inputs: [0, 1],
                outputs: [4],
                nodes: [
                    Graph.Node("Identity", version: 17, title: "Identity \"i\"", inputs: [2, nil], outputs: [nil, 3]),
                    Graph.Node(
                        "Identity",
                        version: 21,
                        inputs: [0],
                        outputs: [4],
                        attributes: [
                            "f": .float(-1.5), "i": .integer(.min), "s": .string("text"),
                            "t": .tensor(Tensor([1, -2, 3] as [Int16], shape: [3])),
                            "u": .tensor(Tensor(strings: ["z"], shape: [1, 1])), "fs": .floats([1, 2]),
                            "is": .integers([-1, 0, .max]), "ss": .strings(["", "b"]), "g": .graph(1),
                        ]
                    ),
                ]
            ),
            Graph.Body(
                inputs: [5],
                outputs: [6, 0],
                nodes: [Graph.Node("Relu", version: 17, inputs: [5], outputs: [6])]
            ),
        ]
    )

    @Test func `is read as it was written`() throws {
        let bytes = Self.graph.encoded()
        let decoded = try Graph(decoding: bytes)
        #expect(decoded.encoded() == bytes)
        #expect(decoded.inputs == Self.graph.inputs)
        #expect(decoded.outputs == Self.graph.outputs)
        #expect(decoded.constants == Self.graph.constants)
        #expect(decoded.bodies[1].outputs == [6, 0])
        guard case .tensor(let tensor)? = decoded.bodies[0].nodes[1].attributes["t"] else {
            Issue.record("no tensor")
            return
        }
        #expect(tensor.array(of: Int16.self) == [1, -2, 3])
        guard case .integers([-1, 0, .max])? = decoded.bodies[0].nodes[1].attributes["is"] else {
            Issue.record("other integers")
            return
        }
    }

    @Test func `of any bytes is read or refused, never a trap`() {
        let bytes = Self.graph.encoded()
        var state: UInt64 = 99
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var refusals = 0
        for _ in 0..<20_000 {
            var mutant = bytes
            for _ in 0...random(3) {
                switch random(3) {
                case 0: mutant[random(mutant.count)] = UInt8(random(256))
                case 1: mutant.remove(at: random(mutant.count))
                default: mutant.insert(UInt8(random(256)), at: random(mutant.count))
                }
            }
            if (try? Graph(decoding: mutant)) == nil { refusals += 1 }
        }
        #expect(refusals > 10_000)
        for count in bytes.indices { #expect(throws: GraphError.self) { try Graph(decoding: Array(bytes[..<count])) } }
    }
}
