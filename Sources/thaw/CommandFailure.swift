/// Why a command ended with exit code 1: one sentence, with what to do.
enum CommandFailure: Error, Equatable, CustomStringConvertible {
    /// `THAW_URL` is not a URL that we speak.
    case badURL(String)
    case unreachable(url: String, detail: String)
    /// The node answered with an error.
    case refused(status: Int, message: String)
    /// What answers at the URL is not a node of this version.
    case notANode(url: String, detail: String)
    /// The node could not be started.
    case notServing(String)
    /// A file of the user's.
    case file(String)

    var description: String {
        switch self {
        case .badURL(let url):
            "THAW_URL is not an http or https URL with a host: \(url)"
        case .unreachable(let url, let detail):
            "no node answers at \(url) (\(detail)); start one with `thaw serve`, or set THAW_URL"
        case .refused(let status, let message):
            "\(message) (HTTP \(status))"
        case .notANode(let url, let detail):
            "what answers at \(url) is not a Thaw node of this version: \(detail)"
        case .file(let message), .notServing(let message):
            message
        }
    }
}
