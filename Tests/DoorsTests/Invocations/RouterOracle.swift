import HTTPTypes
import Hummingbird
import HummingbirdCore
import Invoking
import Logging
import NIOCore
import NIOPosix
import Registry
import ServiceLifecycle
import Testing

@testable import Doors

/// The same doors with calls as a route of the router: how every other path is read, checked and refused.
///
/// What the lane answers must be what this answers.
enum RouterOracle {
    static func server(
        _ services: DoorServices,
        onListening: @escaping @Sendable (Int) -> Void
    ) throws -> any Service {
        let router = Router(context: DoorContext.self)
        FunctionDoors(services: services).open(router)
        VersionDoors(services: services).open(router)
        LogDoor(services: services).open(router)
        ReceiptDoors(services: services).open(router)
        AdminDoors(services: services).open(router)
        router.path(
            "/functions/:name/invocations",
            [.post: { request, context in try await invoke(context.functionName(), request, context, services) }]
        )
        router.add(middleware: CustomRoute(services: services))
        let front = FrontDoor(
            policy: try AccessPolicy(listen: try #require(ListenAddress("127.0.0.1:0")), token: nil),
            router: router.buildResponder(),
            lambda: nil,
            date: ReplyDate(),
            logger: Logger(label: "oracle", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: DoorLimits.headerBytesMax,
            maxHeaderListSize: DoorLimits.headerBytesMax,
            maxHeaderFieldCount: DoorLimits.headersMax
        )
        let http = HTTPServerBuilder { responder in
            HTTP1Channel(responder: responder, configuration: .init(httpDecoderConfiguration: decoder))
        }
        return try http.buildServer(
            configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: 0)),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: front.logger,
            responder: { request, writer, channel in try await front.answer(request, writer, channel) },
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) }
        )
    }

    private static func invoke(
        _ function: String,
        _ request: Request,
        _ context: DoorContext,
        _ services: DoorServices
    ) async throws -> Response {
        let qualifier = request.query("qualifier")
        let bytesMax: Int
        do {
            bytesMax = try services.bounds(function, qualifier).payloadBytesMax
        } catch {
            throw Replies.refusal(for: error)
        }
        let call = Call(
            function: function,
            qualifier: qualifier,
            contentType: request.headers[.contentType] ?? "application/octet-stream",
            body: try await AdmittedBody(of: request, context, bytesMax: bytesMax).collect()
        )
        let loop = context.channel.eventLoop
        let completion = await withCheckedContinuation { continuation in
            services.invoke(call, loop) { continuation.resume(returning: $0) }
        }
        switch completion.result {
        case .success(let reply):
            return Response(status: .ok, body: ResponseBody(byteBuffer: reply.body))
        case .failure(let failure):
            throw Replies.refusal(for: failure)
        }
    }

    private struct CustomRoute: RouterMiddleware {
        let services: DoorServices

        @concurrent
        func handle(
            _ request: Request,
            context: DoorContext,
            next: @concurrent (Request, DoorContext) async throws -> Response
        ) async throws -> Response {
            guard let function = services.registry.route(path: request.uri.path) else {
                throw Refusal.notFound(path: request.uri.path)
            }
            guard request.method == .post else {
                throw Refusal.methodNotAllowed(request.method.rawValue, path: request.uri.path, allowed: "POST")
            }
            return try await RouterOracle.invoke(function, request, context, services)
        }
    }
}
