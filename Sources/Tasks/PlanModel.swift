import Graphs
import Inference

/// A plan over numbers as a tensor model: one matrix in, one matrix out, a row for each example.
enum PlanModel {
    static func model(of runner: PlanRunner) throws(TaskError) -> TensorModel {
        let plan = runner.plan
        guard let signature = TensorSignature(of: plan) else {
            throw .mismatch("the model takes token ids, and the task numbers")
        }
        runner.reserve(tokens: 1, sequences: 1)
        let (input, output) = (signature.inputs[0].name, signature.outputs[0].name)
        return TensorModel(signature: signature) { (inputs) throws(TaskFailure) in
            guard let matrix = inputs[input] else { throw .missing(input, "the input \"\(input)\" is missing") }
            let floats: [Float]
            do throws(PlanError) {
                floats = try runner.run(input: matrix.array(of: Float.self), rows: matrix.shape[0])
            } catch {
                throw .model("\(error)")
            }
            return [output: Tensor(floats, shape: [matrix.shape[0], signature.outputs[0].shape[1]])]
        }
    }
}

extension TensorSignature {
    /// Of a plan over numbers; nil for one that takes tokens.
    init?(of plan: Plan) {
        guard let input = plan.input else { return nil }
        self.init(
            inputs: [Port(plan.inputName, .f32, shape: [-1, plan.values[input].columns])],
            outputs: [Port(plan.outputName, .f32, shape: [-1, plan.values[plan.output].columns])]
        )
    }

    /// Of texts and the scores of their classes.
    package init(classes: Int) {
        self.init(
            inputs: [Port(EmbedModel.inputName, .string, shape: [-1])],
            outputs: [Port(EmbedModel.scoresName, .f32, shape: [-1, classes])]
        )
    }

    /// Of texts and their vectors.
    package init(embeddingColumns columns: Int) {
        self.init(
            inputs: [Port(EmbedModel.inputName, .string, shape: [-1])],
            outputs: [Port(EmbedModel.outputName, .f32, shape: [-1, columns])]
        )
    }
}
