/// Why a model file was refused: a sentence that says what is wrong, where, and what to do.
package enum ModelError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file contradicts its own format.
    case invalid(String)
    /// The file is sound, but asks for something that this version does not do.
    case unsupported(String)
    /// The bundle lacks a file that the model needs.
    case missing(String)
    /// The file is beyond a limit of ``ModelLimits``.
    case tooLarge(String)

    package var description: String {
        switch self {
        case .invalid(let message), .unsupported(let message), .missing(let message), .tooLarge(let message): message
        }
    }
}
