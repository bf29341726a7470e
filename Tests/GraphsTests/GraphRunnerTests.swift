import Testing

@testable import Graphs

/// y = relu(x + b) + x, on floats of any shape.
private func small(_ change: (inout Graph) -> Void = { _ in }) throws(GraphError) -> GraphRunner {
    var graph = Graph(
        valueCount: 5,
        constants: [Graph.Constant(1, name: "b", element: .f32, shape: [2])],
        inputs: [Graph.Port("x", 0, element: .f32, shape: [.open("n"), .fixed(2)])],
        outputs: [Graph.Port("y", 4, element: .f32, shape: nil)],
        bodies: [
            Graph.Body(
                inputs: [0],
                outputs: [4],
                nodes: [
                    Graph.Node("Add", version: 17, title: "Add \"first\"", inputs: [0, 1], outputs: [2]),
                    Graph.Node("Relu", version: 17, inputs: [2], outputs: [3]),
                    Graph.Node("Add", version: 17, title: "Add \"last\"", inputs: [3, 0], outputs: [4]),
                ]
            )
        ]
    )
    change(&graph)
    return try GraphRunner(graph) { _ in Tensor([1, -10] as [Float], shape: [2]) }
}

private func floats(_ values: [GraphValue]) -> [Float] {
    guard case .tensor(let tensor)? = values.first else { return [] }
    return tensor.array(of: Float.self)
}

@Suite struct `A graph is followed node by node` {
    @Test func `and answers what its nodes make`() throws {
        let runner = try small()
        let outputs = try runner.run([.tensor(Tensor([1, 2, 3, 40] as [Float], shape: [2, 2]))])
        #expect(floats(outputs) == [3, 2, 7, 70])
    }

    @Test func `and asks the system for no memory after the first call of a shape`() throws {
        let runner = try small()
        let input = Tensor([Float](repeating: 1, count: 2000), shape: [1000, 2])
        _ = try runner.run([.tensor(input)])
        let count = runner.allocationCount
        for _ in 0..<5 { _ = try runner.run([.tensor(input)]) }
        #expect(runner.allocationCount == count)
        #expect(count > 0)
    }

    @Test func `and leaves an output alone for as long as its caller has it`() throws {
        let runner = try small()
        let first = try runner.run([.tensor(Tensor([1, 2] as [Float], shape: [1, 2]))])
        let second = try runner.run([.tensor(Tensor([5, 6] as [Float], shape: [1, 2]))])
        #expect(floats(first) == [3, 2])
        #expect(floats(second) == [11, 6])
    }

    @Test func `and a default stands in for an input, for that call only`() throws {
        let runner = try small {
            $0.inputs.append(Graph.Port("b", 1, element: .f32, shape: [.fixed(2)], hasDefault: true))
            $0.bodies[0].inputs.append(1)
        }
        let x = GraphValue.tensor(Tensor([1, 2] as [Float], shape: [1, 2]))
        #expect(floats(try runner.run([x, .tensor(Tensor([100, 100] as [Float], shape: [2]))])) == [102, 104])
        #expect(floats(try runner.run([x, .none])) == [3, 2])
    }
}

@Suite struct `A call that does not fit its graph is refused with a sentence` {
    private func message(_ value: GraphValue) throws -> String {
        let runner = try small()
        do {
            _ = try runner.run([value])
            return "not refused"
        } catch {
            return "\(error)"
        }
    }

    @Test func `of another type`() throws {
        #expect(
            try message(.tensor(Tensor([1, 2] as [Int64], shape: [1, 2])))
                == "the input x should be of type f32, it is i64"
        )
    }

    @Test func `of another size`() throws {
        #expect(
            try message(.tensor(Tensor([1, 2, 3] as [Float], shape: [1, 3])))
                == "the input x should have 2 in dimension 1, it has 3"
        )
    }

    @Test func `that fails in a node, which is named`() throws {
        let runner = try small { $0.inputs[0].shape = nil }
        #expect {
            _ = try runner.run([.tensor(Tensor([1, 2, 3] as [Float], shape: [1, 3]))])
        } throws: {
            "\($0)".hasPrefix("Add \"first\": ")
        }
    }
}

@Suite struct `A graph that cannot be followed is refused before it runs` {
    @Test func `when a node reads what nobody wrote`() {
        #expect(throws: GraphError.self) { try small { $0.bodies[0].nodes.swapAt(0, 1) } }
    }

    @Test func `when two nodes write one value`() {
        #expect(throws: GraphError.self) { try small { $0.bodies[0].nodes[1].outputs = [2] } }
    }

    @Test func `when an index is beyond its table`() {
        #expect(throws: GraphError.self) { try small { $0.bodies[0].nodes[0].inputs = [0, 99] } }
        #expect(throws: GraphError.self) { try small { $0.bodies[0].nodes[0].attributes = ["body": .graph(7)] } }
    }

    @Test func `when a body runs itself`() {
        #expect(throws: GraphError.self) { try small { $0.bodies[0].nodes[0].attributes = ["body": .graph(0)] } }
    }

    @Test func `when an operator is unknown`() {
        #expect(throws: GraphError.self) { try small { $0.bodies[0].nodes[0].name = "Abracadabra" } }
    }
}
