package import Graphs

/// A model as the codecs of the inference protocols see it, whichever engine runs it.
package struct TensorModel {
    package let signature: TensorSignature
    /// Takes a tensor for each input of the signature, and answers one for each output.
    ///
    /// Shapes and types fit the signature: who calls has checked them.
    package let run: (_ inputs: [String: Tensor]) throws(TaskFailure) -> [String: Tensor]

    package init(
        signature: TensorSignature,
        run: @escaping (_ inputs: [String: Tensor]) throws(TaskFailure) -> [String: Tensor]
    ) {
        self.signature = signature
        self.run = run
    }
}

/// What goes into a model and what comes out, by name.
package struct TensorSignature: Equatable, Sendable {
    package struct Port: Equatable, Sendable {
        package var name: String
        package var element: TensorElement
        /// Sizes of the dimensions; -1 where a call chooses.
        package var shape: [Int]

        package init(_ name: String, _ element: TensorElement, shape: [Int]) {
            self.name = name
            self.element = element
            self.shape = shape
        }
    }

    package var inputs: [Port]
    package var outputs: [Port]

    package init(inputs: [Port], outputs: [Port]) {
        self.inputs = inputs
        self.outputs = outputs
    }

    /// Whether the examples of several calls can be stacked along the first dimension of every tensor.
    package var isStackable: Bool {
        (inputs + outputs).allSatisfy { $0.shape.first == -1 } && !inputs.isEmpty
    }

    package func input(_ name: String) -> Port? { inputs.first { $0.name == name } }
    package func output(_ name: String) -> Port? { outputs.first { $0.name == name } }
}
