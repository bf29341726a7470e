import ControlPlane
import Foundation

/// A source by its URL: `redis://HOST:PORT/DB?stream=NAME`, and so for the other brokers.
package struct SourceURL: Equatable, Sendable {
    package let scheme: String
    /// As it was written.
    let text: String
    /// Without the password, for logs, records and people.
    package let shown: String
    private let url: URL
    private let query: [String: String]

    /// - Throws: what is wrong with it.
    package init(_ text: String) throws(SourceError) {
        guard text.utf8.count <= 2048, let url = URL(string: text), let scheme = url.scheme?.lowercased() else {
            throw SourceError("'\(text.prefix(80))' is no URL of a source", isFinal: true)
        }
        guard url.fragment == nil else {
            throw SourceError("'\(text.prefix(80))': a # in a source is written %23", isFinal: true)
        }
        self.text = text
        self.url = url
        self.scheme = scheme
        var query: [String: String] = [:]
        for pair in (url.query(percentEncoded: true) ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = String(parts[0]).removingPercentEncoding,
                let value = (parts.count > 1 ? String(parts[1]) : "").removingPercentEncoding
            else { throw SourceError("'\(text.prefix(80))' has a query that is not encoded", isFinal: true) }
            query[name] = value
        }
        self.query = query
        var shown = text
        if let password = url.password(percentEncoded: true), let range = shown.firstRange(of: ":\(password)@") {
            shown.replaceSubrange(range, with: ":…@")
        }
        self.shown = shown
    }

    package var host: String { url.host(percentEncoded: false) ?? "" }
    package var user: String? { url.user(percentEncoded: false) }
    package var password: String? { url.password(percentEncoded: false) }
    package var path: String { url.path(percentEncoded: false) }

    subscript(name: String) -> String? { query[name] }

    /// What the program is told that reaches the broker.
    func order(consumer: String) -> JSONValue {
        .present([
            "scheme": .text(scheme),
            "host": url.host(percentEncoded: false).flatMap { $0.isEmpty ? nil : .text($0) },
            "port": url.port.map { .integer($0) },
            "user": url.user(percentEncoded: false).map { .text($0) },
            "password": url.password(percentEncoded: false).map { .text($0) },
            "path": .text(String(url.path(percentEncoded: false).drop { $0 == "/" })),
            "query": .texts(query),
            "shown": .text(shown),
            "consumer": .text(consumer),
        ])
    }
}
