/// A bucket and how it is asked: the parts of
/// `s3://KEY:SECRET@BUCKET/PREFIX?endpoint=https://HOST&region=us-east-1&poll=30&start=latest|oldest`.
package struct BucketAddress: Sendable {
    package let shown: String
    package let bucket: String
    let prefix: String
    /// `https://HOST:PORT`, without a slash at the end.
    package let endpoint: String
    package let region: String
    /// With which requests are signed; nil for a bucket that anybody may read.
    package let keyID: String?
    package let secret: String?
    let pollSeconds: Int
    /// Objects that were there before the mapping are records too.
    let startsWithOldest: Bool

    /// - Throws: what is wrong with it.
    package init(_ url: SourceURL) throws(SourceError) {
        shown = url.shown
        bucket = url.host
        let isName = bucket.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E
        }
        guard isName, (3...63).contains(bucket.utf8.count) else {
            throw SourceError(
                "\(url.shown) has no bucket: the source is written s3://KEY:SECRET@BUCKET/PREFIX",
                isFinal: true
            )
        }
        prefix = String(url.path.dropFirst())
        region = url["region"] ?? "us-east-1"
        var endpoint = url["endpoint"] ?? "https://s3.\(region).amazonaws.com"
        while endpoint.hasSuffix("/") { endpoint.removeLast() }
        guard let host = endpoint.firstRange(of: "://").map({ endpoint[$0.upperBound...] }), !host.isEmpty,
            endpoint.hasPrefix("http://") || endpoint.hasPrefix("https://"),
            !host.contains(where: { "/?#@".contains($0) })
        else { throw SourceError("\(url.shown): 'endpoint' is written https://HOST:PORT", isFinal: true) }
        self.endpoint = endpoint
        keyID = url.user.flatMap { $0.isEmpty ? nil : $0 }
        secret = url.password
        guard (keyID == nil) == (secret == nil) else {
            throw SourceError("\(url.shown): a key has a secret: s3://KEY:SECRET@BUCKET", isFinal: true)
        }
        guard let poll = Int(url["poll"] ?? "30"), (1...86_400).contains(poll) else {
            throw SourceError("\(url.shown): 'poll' is the seconds between two looks, 1 to 86400", isFinal: true)
        }
        pollSeconds = poll
        switch url["start"] ?? "latest" {
        case "latest": startsWithOldest = false
        case "oldest": startsWithOldest = true
        default: throw SourceError("\(url.shown): 'start' is latest or oldest", isFinal: true)
        }
    }

    package var host: String {
        String(endpoint[(endpoint.firstRange(of: "://")?.upperBound ?? endpoint.startIndex)...])
    }

    /// The question for a page of the objects, its pairs in order.
    func query(continuation: String?, after: String?) -> String {
        var pairs: [(String, String)] = []
        if let continuation { pairs.append(("continuation-token", continuation)) }
        pairs += [("list-type", "2"), ("max-keys", "1000"), ("prefix", prefix)]
        if continuation == nil, let after { pairs.append(("start-after", after)) }
        return pairs.map { "\($0.0)=\(ObjectKey.encode($0.1.utf8))" }.joined(separator: "&")
    }
}
