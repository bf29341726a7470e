import ControlPlane
import Digests

/// The pairs of key id and secret with which requests are signed.
package struct AccessKeys: Sendable {
    private let secrets: [String: String]

    /// Reads them from text as AWS clients keep it, so that one file serves both sides.
    ///
    /// ```
    /// [default]
    /// aws_access_key_id = AKIDEXAMPLE
    /// aws_secret_access_key = …
    /// ```
    ///
    /// - Throws: where there is no pair, or half of one.
    package init(credentials text: String) throws(AccessError) {
        var secrets: [String: String] = [:]
        var id: String?
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingSpaces() }
            guard parts.count == 2 else { continue }
            switch parts[0].lowercased() {
            case "aws_access_key_id": id = parts[1]
            case "aws_secret_access_key":
                guard let known = id, !known.isEmpty, !parts[1].isEmpty else { throw .keysMalformed }
                secrets[known] = parts[1]
                id = nil
            default: break
            }
        }
        guard !secrets.isEmpty, id == nil else { throw .keysMalformed }
        self.secrets = secrets
    }

    /// The id with which the node signs itself: of one file always the same.
    var first: String? { secrets.keys.min() }

    func secret(of id: String) -> String? { secrets[id] }
}

extension StringProtocol {
    fileprivate func trimmingSpaces() -> String {
        let start = drop { $0 == " " || $0 == "\t" }
        return String(start.reversed().drop { $0 == " " || $0 == "\t" || $0 == "\r" }.reversed())
    }
}
