/// Why a graph was refused, or a call of it failed: each message a sentence.
package enum GraphError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The graph needs what Thaw does not have.
    case unsupported(String)
    /// The graph contradicts itself, or the standard.
    case invalid(String)
    /// The tensors of one call do not fit the graph; the graph itself is fine.
    case input(String)

    package var description: String {
        switch self {
        case .unsupported(let reason), .invalid(let reason), .input(let reason): reason
        }
    }

    /// The same with the node that said it in front.
    func at(_ node: String) -> GraphError {
        switch self {
        case .unsupported(let reason): .unsupported("\(node): \(reason)")
        case .invalid(let reason): .invalid("\(node): \(reason)")
        case .input(let reason): .input("\(node): \(reason)")
        }
    }
}
