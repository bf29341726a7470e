/// Why a secret was not kept or read; never with a value in it.
package enum SecretError: Error, Equatable, Sendable, CustomStringConvertible {
    case invalidName(String)
    case invalidValue
    case tooMany
    /// It does not open: the row or the key was changed.
    case damaged(function: String, name: String)
    case key(path: String, detail: String)
    case storage(String)

    /// Whether another request would have been accepted.
    package var isCallersFault: Bool {
        switch self {
        case .invalidName, .invalidValue, .tooMany: true
        case .damaged, .key, .storage: false
        }
    }

    package var description: String {
        switch self {
        case .invalidName(let name):
            "\"\(name.prefix(80))\" cannot name a secret: up to 128 letters, digits and _, not a digit first"
        case .invalidValue:
            "a secret has at most \(SecretStore.valueBytesMax) bytes and no zero character"
        case .tooMany:
            "a function has at most \(SecretStore.countMax) secrets"
        case .damaged(let function, let name):
            "the secret \(name) of \"\(function)\" does not open: secret.key or secrets.sqlite was changed; "
                + "restore both from one backup, or remove secrets.sqlite and set the secrets again"
        case .key(let path, let detail):
            "\(path), which encrypts secrets, cannot be read or made: \(detail)"
        case .storage(let detail):
            "secrets cannot be read or written: \(detail)"
        }
    }
}
