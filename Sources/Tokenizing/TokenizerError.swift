/// Why a tokenizer cannot be used.
package enum TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// tokenizer.json is not JSON, or lacks something that it must have.
    case malformed(String)
    /// tokenizer.json asks for something that Thaw does not do yet.
    case unsupported(String)
    /// Compiled bytes are not what ``Tokenizer/compiled()`` writes.
    case notCompiled(String)

    package var description: String {
        switch self {
        case .malformed(let what): "tokenizer.json: \(what)"
        case .unsupported(let what): "tokenizer.json: \(what)"
        case .notCompiled(let what): "compiled tokenizer: \(what)"
        }
    }
}
