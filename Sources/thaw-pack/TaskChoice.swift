import Graphs
import Inference
import Manifests
import Models
import Tasks

extension TaskConfiguration {
    /// What the worker is to do around the model, once model and task are known to fit each other.
    ///
    /// `model` is nil for a function without one.
    init(_ manifest: Manifest, _ model: EngineModel?) throws(PackRefusal) {
        guard let reference = manifest.model, let model else {
            self.init(kind: .none)
            return
        }
        let threads = manifest.threads ?? 1
        if threads > 1, case .graph = model {
            throw .mismatch(reference, "runs on one thread, for it is no model of texts; leave threads out")
        }
        switch (reference.task, model) {
        case (.embed, .plan(let model)): self.init(kind: .embed, tokensMax: model.tokensMax, threads: threads)
        case (.rank, .plan(let model)): self.init(kind: .rank, tokensMax: model.tokensMax, threads: threads)
        case (.embed, .graph), (.rank, .graph), (.tag, .graph):
            throw .mismatch(reference, "takes tensors; use task classify or tensor")
        case (.classify, .graph), (.tensor, .graph):
            self.init(kind: reference.task == .classify ? .classify : .tensor, labels: reference.labels)
        case (.classify, .plan(let model)), (.tag, .plan(let model)):
            self.init(
                kind: reference.task == .tag ? .tag : .classify,
                tokensMax: model.tokensMax,
                labels: reference.labels ?? model.labels,
                threads: threads
            )
        case (.tensor, .plan): throw .mismatch(reference, "takes texts; use task embed, classify, rank or tag")
        case (.echo, _), (.code, _): self.init(kind: .none)
        }
    }
}

extension TensorSignature {
    /// What a function of this task and model takes and gives, once labels are known to fit it.
    init(_ task: TaskConfiguration, _ model: EngineModel, _ reference: ModelReference) throws(PackRefusal) {
        switch model {
        case .plan(let model):
            let columns = model.plan.values[model.plan.output].columns
            if let labels = task.labels, labels.count != columns {
                throw .mismatch(reference, "has \(columns) scores, and model.labels names \(labels.count)")
            }
            self.init(task.kind, columns: columns)
        case .graph(let model):
            do throws(TaskError) {
                try self.init(of: model.graph, isClassifier: task.kind == .classify)
            } catch {
                throw PackRefusal(kind: .invalid, message: "\(reference.source): \(error)")
            }
            guard let labels = task.labels, task.kind == .classify else { return }
            if let count = outputs.first?.shape.last, count != -1, labels.count != count {
                throw .mismatch(reference, "has \(count) scores, and model.labels names \(labels.count)")
            }
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
