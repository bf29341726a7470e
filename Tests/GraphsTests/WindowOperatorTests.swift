import Testing

@testable import Graphs

/// Runs one operator by itself.
private func run(
    _ name: String,
    _ inputs: [Tensor?],
    _ attributes: [String: Attribute] = [:],
    version: Int = 21,
    outputCount: Int = 1
) throws -> [Tensor] {
    let operation = try #require(OperatorTable.find(name, domain: "", version: version))
    let call = OperatorCall(
        inputs: inputs.map { $0.map { .tensor($0) } ?? .none },
        attributes: attributes,
        version: version,
        outputCount: outputCount,
        pool: MemoryPool()
    )
    return try operation.body(call).compactMap { if case .tensor(let tensor) = $0 { tensor } else { nil } }
}

private func floats(_ shape: [Int]) -> Tensor {
    let count = shape.reduce(1, *)
    return Tensor((0..<count).map { Float(($0 * 37) % 101) / 50 - 1 }, shape: shape)
}

/// An operator with inputs that do not fit it.
struct HostileCall: Sendable, CustomTestStringConvertible {
    let name: String
    let shapes: [[Int]]
    var attributes: [String: Attribute] = [:]

    var testDescription: String { "\(name) of \(shapes) with \(attributes)" }

    static let all: [HostileCall] = [
        HostileCall(name: "Conv", shapes: [[1, 3, 4, 4], [2, 4, 3, 3]]),
        HostileCall(name: "Conv", shapes: [[1, 3, 2, 2], [2, 3, 3, 3]]),
        HostileCall(name: "Conv", shapes: [[1, 3], [2, 3]]),
        HostileCall(name: "Conv", shapes: [[1, 3, 4, 4], [2, 3, 3, 3]], attributes: ["strides": .integers([0, 1])]),
        HostileCall(
            name: "Conv",
            shapes: [[1, 3, 4, 4], [2, 3, 3, 3]],
            attributes: ["pads": .integers([-1, 0, 0, 0])]
        ),
        HostileCall(name: "Conv", shapes: [[1, 3, 4, 4], [2, 3, 3, 3]], attributes: ["group": .integer(0)]),
        HostileCall(
            name: "Conv",
            shapes: [[1, 3, 4, 4], [2, 3, 3, 3]],
            attributes: ["dilations": .integers([1 << 40, 1])]
        ),
        HostileCall(name: "Conv", shapes: [[1, 3, 4, 4], [2, 3, 3, 3], [3]]),
        HostileCall(name: "Conv", shapes: [[1, 1, 4], [1, 1, 1]], attributes: ["pads": .integers([Int.max, 1])]),
        HostileCall(name: "ConvTranspose", shapes: [[1, 3, 4, 4], [2, 3, 3, 3]]),
        HostileCall(
            name: "ConvTranspose",
            shapes: [[1, 2, 1 << 10, 1 << 10], [2, 1, 1, 1]],
            attributes: ["strides": .integers([1 << 19, 1 << 19])]
        ),
        HostileCall(
            name: "ConvTranspose",
            shapes: [[1, 2, 4], [2, 1, 1]],
            attributes: ["output_shape": .integers([-5])]
        ),
        HostileCall(name: "MaxPool", shapes: [[1, 1, 4, 4]], attributes: ["kernel_shape": .integers([9, 9])]),
        HostileCall(name: "MaxPool", shapes: [[1, 1, 4, 4]], attributes: ["kernel_shape": .integers([2])]),
        HostileCall(name: "MaxPool", shapes: [[1, 1, 4, 4]]),
        HostileCall(name: "AveragePool", shapes: [[1, 1]], attributes: ["kernel_shape": .integers([])]),
        HostileCall(
            name: "LpPool",
            shapes: [[1, 1, 4]],
            attributes: ["kernel_shape": .integers([2]), "p": .integer(0)]
        ),
        HostileCall(name: "GlobalMaxPool", shapes: [[1, 2, 0, 3]]),
        HostileCall(name: "LRN", shapes: [[1, 2, 3, 3]], attributes: ["size": .integer(-1)]),
        HostileCall(name: "Resize", shapes: [[1, 1, 2, 2], [0], [3]]),
        HostileCall(name: "Resize", shapes: [[1, 1, 2, 2]], attributes: ["mode": .string("spline")]),
        HostileCall(name: "Resize", shapes: [[1, 1, 2, 2], [0], [4]], attributes: ["axes": .integers([9, 1, 2, 3])]),
        HostileCall(name: "GridSample", shapes: [[1, 1, 3, 3], [1, 2, 2, 3]]),
        HostileCall(name: "GridSample", shapes: [[1, 1, 0, 3], [1, 2, 2, 2]]),
        HostileCall(name: "DeformConv", shapes: [[1, 1, 3, 3], [1, 1, 2, 2], [1, 7, 2, 2]]),
        HostileCall(name: "RoiAlign", shapes: [[1, 1, 3, 3], [2, 5], [2]]),
        HostileCall(
            name: "MaxRoiPool",
            shapes: [[1, 1, 3, 3], [2, 4]],
            attributes: ["pooled_shape": .integers([1, 1])]
        ),
        HostileCall(name: "NonMaxSuppression", shapes: [[1, 4, 3], [1, 1, 4]]),
    ]
}

@Suite struct `Operators over windows` {
    @Test(arguments: HostileCall.all)
    func `refuse what does not fit by a sentence`(_ call: HostileCall) throws {
        #expect(throws: GraphError.self) { try run(call.name, call.shapes.map(floats), call.attributes) }
    }

    @Test(arguments: [1, 2, 3], ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"])
    func `agree with sums of doubles in every dimension`(_ rank: Int, _ padding: String) throws {
        let image = floats([2, 6] + [7, 5, 6].prefix(rank))
        let weights = floats([4, 3] + [3, 2, 1].prefix(rank))
        var attributes: [String: Attribute] = [
            "group": .integer(2), "auto_pad": .string(padding),
            "strides": .integers([2, 1, 1].prefix(rank).map { $0 }),
        ]
        if padding == "NOTSET" { attributes["dilations"] = .integers([1, 2, 3].prefix(rank).map { $0 }) }
        let result = try run("Conv", [image, weights, floats([4])], attributes)[0]
        let doubles = try [image, weights, floats([4])].map { Tensor(try $0.doubles(), shape: $0.shape) }
        let expected = try run("Conv", doubles, attributes)[0]
        #expect(result.shape == expected.shape)
        #expect(zip(try result.doubles(), try expected.doubles()).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test func `take images of nothing`() throws {
        let result = try run("Conv", [floats([0, 3, 4, 4]), floats([2, 3, 3, 3])])
        #expect(result[0].shape == [0, 2, 2, 2])
        let pooled = try run("MaxPool", [floats([0, 3, 4, 4])], ["kernel_shape": .integers([2, 2])])
        #expect(pooled[0].shape == [0, 3, 3, 3])
    }

    @Test func `refuse places beyond the image`() throws {
        let places = Tensor([-1, 2] as [Int64], shape: [1, 1, 2])
        #expect(throws: GraphError.self) {
            try run("MaxUnpool", [floats([1, 1, 2]), places], ["kernel_shape": .integers([2])])
        }
        let batches = Tensor([5] as [Int64], shape: [1])
        #expect(throws: GraphError.self) { try run("RoiAlign", [floats([1, 1, 3, 3]), floats([1, 4]), batches]) }
        let sizes = Tensor([1, 1, Int64.max, 2], shape: [4])
        #expect(throws: GraphError.self) { try run("Resize", [floats([1, 1, 2, 2]), nil, nil, sizes]) }
    }

    @Test func `see no NaN coordinate as a place`() throws {
        let grid = Tensor([Float.nan, .infinity, 1e30, -1e30, 0, 0, 1, -1], shape: [1, 2, 2, 2])
        for padding in ["zeros", "border", "reflection"] {
            for mode in ["nearest", "linear", "cubic"] {
                let settings: [String: Attribute] = ["mode": .string(mode), "padding_mode": .string(padding)]
                let result = try run("GridSample", [floats([1, 1, 3, 3]), grid], settings)
                #expect(result[0].shape == [1, 1, 2, 2])
            }
        }
    }
}
