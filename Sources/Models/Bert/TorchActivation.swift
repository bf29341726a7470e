import Inference

extension Plan.Activation {
    /// Of the full name of a class of torch, as directories name their activations.
    ///
    /// - Parameter place: file and key, for sentences.
    init(torchClass name: String, _ place: String) throws(ModelError) {
        switch name {
        case "torch.nn.modules.linear.Identity", "torch.nn.Identity": self = .none
        case "torch.nn.modules.activation.Sigmoid", "torch.nn.Sigmoid": self = .sigmoid
        case "torch.nn.modules.activation.Tanh", "torch.nn.Tanh": self = .tanh
        case "torch.nn.modules.activation.ReLU", "torch.nn.ReLU": self = .relu
        case "torch.nn.modules.activation.GELU", "torch.nn.GELU": self = .gelu
        default:
            throw .unsupported("\(place) is \(name); supported are Identity, Sigmoid, Tanh, ReLU and GELU of torch.nn")
        }
    }
}
