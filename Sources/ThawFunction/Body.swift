import FoundationEssentials

/// Bodies of calls and of replies.
enum Body {
    /// Nothing at all is `{}`: a call of Lambda may come without a payload.
    static func decode<Input: Decodable>(
        _ type: Input.Type,
        from body: [UInt8],
        named name: String = "the body of the call"
    ) throws -> Input {
        if let bytes = Bytes(body) as? Input { return bytes }
        do {
            return try JSONDecoder().decode(type, from: Data(body.isEmpty ? Array("{}".utf8) : body))
        } catch {
            throw RuntimeFailure(
                errorType: "Runtime.UnmarshalError",
                message: "\(name) is no \(type): \(describe(error))"
            )
        }
    }

    static func encode(_ output: some Encodable) throws -> (bytes: [UInt8], contentType: String) {
        if let output = output as? Bytes { return (output.bytes, "application/octet-stream") }
        do {
            return (Array(try JSONEncoder().encode(output)), "application/json")
        } catch {
            throw RuntimeFailure(
                errorType: "Runtime.MarshalError",
                message: "the reply, a \(type(of: output)), is not written as JSON: \(describe(error))"
            )
        }
    }

    /// A failure as Lambda's runtimes post it.
    static func encode(failure error: any Error) -> (bytes: [UInt8], errorType: String) {
        struct Document: Encodable {
            var errorMessage: String
            var errorType: String
            var stackTrace: [String] = []
        }
        let failure = error as? RuntimeFailure
        let errorType = failure?.errorType ?? "\(type(of: error))"
        let document = Document(errorMessage: failure?.message ?? "\(error)", errorType: errorType)
        let bytes = try? JSONEncoder().encode(document)
        return (Array(bytes ?? Data(#"{"errorMessage":"","errorType":"Unhandled","stackTrace":[]}"#.utf8)), errorType)
    }

    private static func describe(_ error: any Error) -> String {
        func place(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
        }
        return switch error {
        case DecodingError.keyNotFound(let key, _): "\(key.stringValue) is missing"
        case DecodingError.typeMismatch(_, let context): place(context)
        case DecodingError.valueNotFound(_, let context): place(context)
        case DecodingError.dataCorrupted(let context): place(context)
        default: "\(error)"
        }
    }
}

/// A failure that this library found itself, with the name that Lambda's runtimes give it.
struct RuntimeFailure: Error {
    var errorType: String
    var message: String
}
