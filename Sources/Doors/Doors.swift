import Events
import Hummingbird
import HummingbirdCore
package import Invoking
package import Logging
package import NIOCore
package import ServiceLifecycle
package import Wire

/// The HTTP face of a node: one listening socket and the doors behind it.
///
/// Doors translate between HTTP and the rooms behind them; they decide nothing.
package struct Doors: Sendable {
    private let front: FrontDoor
    private let invocations: InvocationDoor
    private let listen: ListenAddress
    private let logger: Logger

    /// - Throws: ``AccessError`` where the address may not be listened on without a token.
    package init(
        listen: ListenAddress,
        token: BearerToken?,
        services: DoorServices,
        lambda: LambdaServices? = nil,
        logger: Logger
    ) throws(AccessError) {
        let policy = try AccessPolicy(listen: listen, token: token)
        let date = ReplyDate()
        front = FrontDoor(
            policy: policy,
            router: Self.router(services, lambda).buildResponder(),
            lambda: lambda.map { LambdaDoor(services: services, lambda: $0, policy: policy) },
            date: date,
            logger: logger
        )
        invocations = InvocationDoor(policy: policy, services: services, date: date)
        self.listen = listen
        self.logger = logger
    }

    /// The server, to be run in a service group: on graceful shutdown it stops to listen and ends when the requests
    /// in progress have been answered.
    ///
    /// - Parameters:
    ///   - eventLoopGroup: its threads serve the connections.
    ///   - onListening: called once with the port, which the kernel chose where `listen` says 0.
    /// - Returns: a service that throws where the address cannot be listened on.
    /// - Throws: never for what the world does; the server library declares it.
    package func server(
        eventLoopGroup: any EventLoopGroup,
        onListening: @escaping @Sendable (_ port: Int) async -> Void
    ) throws -> any Service {
        let (front, invocations, listen) = (front, invocations, listen)
        // No idle timeout here: only the lane sees all that a connection brings.
        let configuration = HTTP1Channel.Configuration(
            httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                maxHeaderFieldSize: DoorLimits.headerBytesMax,
                maxHeaderListSize: DoorLimits.headerBytesMax,
                maxHeaderFieldCount: DoorLimits.headersMax
            )
        )
        let http = HTTPServerBuilder { responder in
            DoorChannel(
                http: HTTP1Channel(responder: responder, configuration: configuration),
                invocations: invocations
            )
        }
        return try http.buildServer(
            configuration: ServerConfiguration(
                address: .hostname(listen.host, port: listen.port),
                backlog: DoorLimits.backlog,
                availableConnectionsDelegate: .maximum(DoorLimits.connectionsMax, logger: logger)
            ),
            eventLoopGroup: eventLoopGroup,
            logger: logger,
            responder: { request, writer, channel in
                try await front.answer(request, writer, channel)
            },
            onServerRunning: { channel in
                await onListening(channel.localAddress?.port ?? listen.port)
            }
        )
    }

    /// The status that a call's failure is answered with, for its receipt.
    package static func status(of failure: Failure, _ form: CallForm) -> Int {
        ErrorDialect(form).status(Replies.refusal(for: failure))
    }

    /// Every path, door by door.
    private static func router(_ services: DoorServices, _ lambda: LambdaServices?) -> Router<DoorContext> {
        let router = Router(context: DoorContext.self)
        FunctionDoors(services: services).open(router)
        VersionDoors(services: services).open(router)
        LogDoor(services: services).open(router)
        SecretDoors(services: services).open(router)
        router.path("/functions/:name/invocations", [:], before: [.post])
        OpenAIDoors(services: services).open(router)
        OpenInferenceDoors(services: services).open(router)
        router.path("/predict/:name", [:], before: [.post])
        ReceiptDoors(services: services).open(router)
        SourceDoors(services: services).open(router)
        TriggerDoors(services: services).open(router)
        AdminDoors(services: services).open(router)
        if let lambda {
            EventDoors(events: lambda.events).open(router)
            CloudEventDoor(lambda: lambda).open(router)
        }
        // Added last, so that it sees only the requests that no path above takes.
        router.add(middleware: RouteDoor(registry: services.registry))
        return router
    }
}
