import Graphs
import Inference
import Manifests
import Models
import Tasks

extension TaskConfiguration {
    /// What the worker is to do around the model, once model and task are known to fit each other.
    ///
    /// `model` is nil for a function without one.
    init(_ manifest: Manifest, _ model: ImportedModel?) throws(PackRefusal) {
        guard let reference = manifest.model, let model else {
            self.init(kind: .none)
            return
        }
        let takesTexts = model.plan.input == nil
        switch reference.task {
        case .embed:
            guard takesTexts else { throw .mismatch(reference, "takes numbers; use task classify or tensor") }
            self.init(kind: .embed, tokensMax: model.tokensMax)
        case .classify, .tensor:
            guard !takesTexts else { throw .mismatch(reference, "takes texts; use task embed") }
            let scoreCount = model.plan.values[model.plan.output].columns
            if let labels = reference.labels, labels.count != scoreCount {
                throw .mismatch(reference, "has \(scoreCount) scores, and model.labels names \(labels.count)")
            }
            self.init(kind: reference.task == .classify ? .classify : .tensor, labels: reference.labels)
        case .echo:
            self.init(kind: .none)
        }
    }
}

extension PackRefusal {
    fileprivate static func mismatch(_ reference: ModelReference, _ what: String) -> PackRefusal {
        PackRefusal(kind: .invalid, message: "task \(reference.task.rawValue): the model \(reference.source) \(what)")
    }
}

extension ModelSignature {
    /// As callers see it: datatypes by their names in the Open Inference Protocol.
    init(_ signature: TensorSignature) {
        func ports(_ ports: [TensorSignature.Port]) -> [Port] {
            ports.map { Port(name: $0.name, datatype: $0.element.openInferenceName, shape: $0.shape) }
        }
        self.init(inputs: ports(signature.inputs), outputs: ports(signature.outputs))
    }
}
