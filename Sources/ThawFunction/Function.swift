/// A function: JSON in, JSON out.
///
/// ```swift
/// import ThawFunction
///
/// @main struct Greeter: Function {
///     func handle(_ event: Question, context: Context) async throws -> Answer {
///         Answer(greeting: "Hello, \(event.name)!")
///     }
/// }
/// ```
///
/// `init()` runs once for each worker, before its first call; a worker serves one call at a time. An error that `handle` throws
/// is the reply of its call, and the worker goes on.
public protocol Function: Sendable {
    /// What the body of a call is decoded into; ``Bytes`` takes it as it is.
    associatedtype Input: Decodable
    /// What the reply is encoded from; ``Bytes`` goes out as it is.
    associatedtype Output: Encodable

    init() async throws

    func handle(_ event: Input, context: Context) async throws -> Output
}

/// A function that replies over time.
///
/// What it writes leaves at once; the reply ends when `handle` returns.
public protocol StreamingFunction: Sendable {
    /// What the body of a call is decoded into; ``Bytes`` takes it as it is.
    associatedtype Input: Decodable

    init() async throws

    func handle(_ event: Input, reply: ReplyWriter, context: Context) async throws
}

/// A body that is not JSON, of a call or of its reply.
public struct Bytes: Codable, Sendable {
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    public init(_ text: String) {
        bytes = Array(text.utf8)
    }
}

// One call at a time, on the main thread, which has nothing else to do: a call changes threads only where the author's code
// does. Between calls it waits in the kernel.
extension Function {
    /// Serves calls until the runtime ends; the entry point of a program.
    @MainActor public static func main() async {
        await CallLoop.serve { () async throws in
            let function = try await Self()
            return { @MainActor (body: [UInt8], reply: ReplyWriter, context: Context) async throws in
                let output = try await function.handle(try Body.decode(Input.self, from: body), context: context)
                let (bytes, contentType) = try Body.encode(output)
                try reply.send(bytes, contentType: contentType)
            }
        }
    }
}

extension StreamingFunction {
    /// Serves calls until the runtime ends; the entry point of a program.
    @MainActor public static func main() async {
        await CallLoop.serve { () async throws in
            let function = try await Self()
            return { @MainActor (body: [UInt8], reply: ReplyWriter, context: Context) async throws in
                try await function.handle(try Body.decode(Input.self, from: body), reply: reply, context: context)
                try reply.end()
            }
        }
    }
}
