/// A setting of a node, as ONNX's AttributeProto has it.
package enum Attribute: Sendable {
    case float(Float)
    case integer(Int)
    case string(String)
    case tensor(Tensor)
    case floats([Float])
    case integers([Int])
    case strings([String])
    /// A subgraph, by its place in ``OperatorCall``'s graph; run through ``OperatorCall/run(subgraph:_:)``.
    case graph(Int)
}
