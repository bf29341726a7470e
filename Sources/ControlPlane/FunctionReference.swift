/// A function as a caller of the Lambda API names it: by name, by partial or whole ARN, each with a qualifier or without.
package struct FunctionReference: Equatable, Sendable {
    package var name: String
    package var qualifier: String?

    /// The bare name may have so many characters; the model's 140 are for the ARN.
    package static let nameCharactersMax = 64

    /// One that was read before.
    package init(name: String, qualifier: String?) {
        self.name = name
        self.qualifier = qualifier
    }

    /// - Parameters:
    ///   - text: `f`, `f:live`, `000000000000:function:f`, `arn:aws:lambda:us-east-1:000000000000:function:f:live`.
    ///   - query: the qualifier beside it, where there is one.
    /// - Throws: where the text is none of these, or the two qualifiers differ.
    package init(_ text: String, qualifier query: String? = nil, in account: LambdaAccount) throws(LambdaError) {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if parts.first == "arn" {
            guard parts.count >= 7, parts[2] == "lambda", parts[5] == "function" else { throw Self.malformed(text) }
            guard parts[3] == account.region else {
                throw LambdaError(
                    .resourceNotFound,
                    "Functions from '\(parts[3])' are not reachable in this region ('\(account.region)')"
                )
            }
            parts.removeFirst(6)
        } else if parts.count >= 3, parts[1] == "function" {
            parts.removeFirst(2)
        }
        guard (1...2).contains(parts.count), Self.isName(parts[0]) else { throw Self.malformed(text) }
        name = parts[0]
        guard name.count <= Self.nameCharactersMax else {
            throw .invalid(
                "1 validation error detected: Value '\(name)' at 'functionName' failed to satisfy constraint: Member "
                    + "must have length less than or equal to \(Self.nameCharactersMax)"
            )
        }
        let own = parts.count == 2 ? parts[1] : nil
        if let own, let query, own != query {
            throw .invalid("The derived qualifier from the function name does not match the specified qualifier.")
        }
        qualifier = own ?? query
        if let qualifier, !Self.isQualifier(qualifier) {
            throw .constraint(
                qualifier,
                at: "qualifier",
                "Member must satisfy regular expression pattern: \\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
            )
        }
    }

    private static func malformed(_ text: String) -> LambdaError {
        .constraint(
            text,
            at: "functionName",
            "Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?"
                + "((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?"
                + "([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
        )
    }

    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(isNameByte)
    }

    private static func isQualifier(_ text: String) -> Bool {
        text == "$LATEST" || !text.isEmpty && text.utf8.count <= 128 && text.utf8.allSatisfy(isNameByte)
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}

/// The one account and region that this node's resources are named in.
package struct LambdaAccount: Equatable, Sendable {
    package var id: String
    package var region: String

    package init(id: String = "000000000000", region: String = "us-east-1") {
        self.id = id
        self.region = region
    }

    package func functionARN(_ name: String, _ qualifier: String? = nil) -> String {
        "arn:aws:lambda:\(region):\(id):function:\(name)" + (qualifier.map { ":\($0)" } ?? "")
    }

    package func queueARN(_ name: String) -> String { "arn:aws:sqs:\(region):\(id):\(name)" }

    func layerARN(_ name: String, _ version: Int? = nil) -> String {
        "arn:aws:lambda:\(region):\(id):layer:\(name)" + (version.map { ":\($0)" } ?? "")
    }

    func mappingARN(_ uuid: String) -> String {
        "arn:aws:lambda:\(region):\(id):event-source-mapping:\(uuid)"
    }
}
