/// Why a policy cannot be used.
package enum PolicyError: Error, Equatable, Sendable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    case line(file: String, line: Int, problem: String)
    /// Something that no single line is to blame for.
    case whole(file: String, problem: String)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason): "the policy \(file) cannot be read: \(reason)"
        case .line(let file, let line, let problem): "\(file):\(line): \(problem)"
        case .whole(let file, let problem): "\(file): \(problem)"
        }
    }
}
