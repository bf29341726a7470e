import FoundationEssentials
@unsafe @preconcurrency import Glibc

/// Serves one call after the other.
@MainActor
enum CallLoop {
    typealias Handler = @MainActor ([UInt8], ReplyWriter, Context) async throws -> Void

    /// Connects, makes the handler, and serves until the runtime ends, which ends the process.
    static func serve(_ make: @MainActor () async throws -> Handler) async -> Never {
        // Lines of a function's log leave when they end, also into a pipe.
        unsafe setvbuf(stdout, nil, Int32(_IOLBF), 0)
        do {
            guard let address = ProcessInfo.processInfo.environment["AWS_LAMBDA_RUNTIME_API"] else {
                throw RuntimeAPIError("AWS_LAMBDA_RUNTIME_API is not set: this program is started by Thaw or by Lambda")
            }
            let api = try RuntimeAPI(address: address)
            let handler = try await made(make, api)
            while true {
                let (context, body) = try api.next()
                let reply = ReplyWriter(api, requestID: context.requestID)
                do {
                    try await handler(body, reply, context)
                } catch let error as RuntimeAPIError {
                    throw error
                } catch {
                    print("[ERROR] \(type(of: error)): \(error)")
                    try reply.fail(error)
                }
            }
        } catch {
            print("\(error)")
            exit(1)
        }
    }

    /// The author's `init`; a failure there is told to the runtime, and ends the process.
    private static func made(_ make: @MainActor () async throws -> Handler, _ api: RuntimeAPI) async throws -> Handler {
        do {
            return try await make()
        } catch {
            let (document, errorType) = Body.encode(failure: error)
            try api.post("init/error", ["Lambda-Runtime-Function-Error-Type: \(errorType)"], document)
            throw error
        }
    }
}
