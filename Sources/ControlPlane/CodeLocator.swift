/// Where a caller fetches kept archives: under the address by which it reached this node, signed where the node asks for that.
package struct CodeLocator: Sendable {
    /// Scheme and authority, such as `http://127.0.0.1:8080`.
    let origin: String
    /// The query that makes a `GET` of the path anybody's for a while; empty where nobody has to sign.
    let sign: @Sendable (_ path: String) throws(LambdaError) -> String

    package init(origin: String, sign: @escaping @Sendable (_ path: String) throws(LambdaError) -> String) {
        self.origin = origin
        self.sign = sign
    }

    func location(of archive: String) throws(LambdaError) -> String {
        let path = "/code/\(archive)"
        let query = try sign(path)
        return query.isEmpty ? origin + path : "\(origin)\(path)?\(query)"
    }
}
