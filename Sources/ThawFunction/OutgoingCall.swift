import FoundationEssentials

// Calls of other functions, made in the middle of one's own.
extension Context {
    /// Calls a function that `calls` in function.yaml names, and returns what it answers.
    ///
    /// ```swift
    /// let vectors: Vectors = try await context.invoke("embed", Texts(text: ["Ada", "Grace"]))
    /// ```
    ///
    /// The call goes over the connection that brought this one, so that no network is needed for it; its receipt names this
    /// one (`parent`). One such call is made at a time, and the main thread waits for it. In a streaming function it comes
    /// before the first piece of the reply.
    ///
    /// - Parameters:
    ///   - function: its name on the node.
    ///   - input: goes out as JSON; ``Bytes`` as they are. At most 16 MiB.
    ///   - contentType: nil for `application/json`, or `application/octet-stream` where the input is ``Bytes``.
    ///   - type: what the reply is decoded into; ``Bytes`` takes it as it is.
    /// - Throws: ``FunctionError`` where that function failed, ``InvokeError`` where the call was refused or came to nothing.
    @MainActor
    public func invoke<Input: Encodable, Output: Decodable>(
        _ function: String,
        _ input: Input,
        contentType: String? = nil,
        as type: Output.Type = Output.self
    ) async throws -> Output {
        let (bytes, ownType) = try Body.encode(input)
        let reply = try ask(function, bytes, contentType: contentType ?? ownType)
        return try Body.decode(type, from: reply, named: "the reply of \(function)")
    }

    private func ask(_ function: String, _ body: [UInt8], contentType: String) throws -> [UInt8] {
        guard let api else { throw InvokeError("no runtime has made this context: there is nobody to ask") }
        // A name of the node's is a label of DNS; whatever else would be another path.
        guard !function.isEmpty, function.utf8.allSatisfy(Self.isNameByte) else {
            throw InvokeError("\"\(function.prefix(80))\" cannot be the name of a function")
        }
        guard contentType.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw InvokeError("a content type is of printable ASCII characters")
        }
        let path = "invocation/\(requestID)/calls/\(function)"
        guard let answer = try api.ask(path, ["Content-Type: \(contentType)"], body) else {
            throw InvokeError("other functions are called before the first piece of a reply")
        }
        if answer.head.status == 200 { return answer.body }
        let words = try? JSONDecoder().decode(FailureDocument.self, from: Data(answer.body))
        let message = words?.errorMessage ?? String(decoding: answer.body.prefix(1024), as: UTF8.self)
        guard answer.head.status == 502 else {
            throw InvokeError(message.isEmpty ? "the runtime answered \(answer.head.status)" : message)
        }
        throw FunctionError(function: function, errorType: words?.errorType ?? "Function.Unknown", message: message)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private struct FailureDocument: Decodable {
        var errorMessage: String?
        var errorType: String?
    }
}

/// A function that was called has failed; the words are its own.
public struct FunctionError: Error, Equatable, CustomStringConvertible {
    public let function: String
    public let errorType: String
    public let message: String

    public var description: String { "\(function) failed: \(errorType): \(message)" }
}

/// A call of another function was refused, or came to nothing.
public struct InvokeError: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
