#if canImport(CNats)
import CNats
import Linux

/// What a source's URL says of NATS.
struct NATSSettings {
    let servers: [String]
    let stream: String
    let durable: String
    /// Only messages of these subjects; nil for all.
    let subject: String?
    let startsAtNew: Bool
    let user: String?
    let password: String?
    /// The name that the server's certificate has to have; nil for a connection without TLS.
    let certifiedName: String?
    let authorityFile: String?
    let credentialsFile: String?

    static let form = "nats://HOST:PORT/?stream=NAME&subject=FILTER&durable=NAME"
    private static let known: Set<String> = [
        "ca", "credentials", "durable", "servers", "start", "stream", "subject", "tls", "tls-name",
    ]

    init(_ address: BrokerAddress) throws(BrokerError) {
        stream = try address.required("stream", form: Self.form)
        for name in address.names.sorted() where !Self.known.contains(name) {
            let known = Self.known.sorted().joined(separator: ", ")
            throw BrokerError("\(address.shown): '\(name)' is none of \(known)", isFinal: true)
        }
        durable = address["durable"] ?? "thaw-\(address.consumer)"
        guard !durable.isEmpty, !durable.contains(where: { ". *>/\\".contains($0) }) else {
            throw BrokerError("\(address.shown): 'durable' has none of the signs . * > / \\ and blanks", isFinal: true)
        }
        subject = address["subject"].flatMap { $0.isEmpty ? nil : $0 }
        guard ["all", "new"].contains(address["start"] ?? "all") else {
            throw BrokerError("\(address.shown): 'start' is all or new", isFinal: true)
        }
        startsAtNew = address["start"] == "new"
        let hosts =
            address["servers"]?.split(separator: ",").map(String.init)
            ?? ["\(address.host):\(address.port ?? 4222)"]
        servers = hosts.map { "nats://\($0)" }
        user = address.user.flatMap { $0.isEmpty ? nil : $0 }
        password = address.password
        let usesTLS = address["tls"] == "true" || address["ca"] != nil
        certifiedName = usesTLS ? address["tls-name"] ?? address.host : nil
        authorityFile = address["ca"]
        credentialsFile = address["credentials"]
    }
}

/// A connection, and the consumer found or made over it.
@safe struct NATSOpening {
    @unsafe let connection: OpaquePointer
    @unsafe let context: OpaquePointer
    @unsafe let subscription: OpaquePointer
    let patienceNanoseconds: UInt64

    private static let connectMilliseconds: Int64 = 10_000

    init(_ settings: NATSSettings, shown: String, patienceNanoseconds: Int64) throws(BrokerError) {
        unsafe connection = try Self.connect(settings, shown)
        var context: OpaquePointer?
        guard unsafe natsConnection_JetStream(&context, connection, nil) == NATS_OK, let context = unsafe context else {
            throw BrokerError("\(shown): no memory for a context")
        }
        unsafe self.context = unsafe context
        try unsafe Self.findStream(settings, context, shown)
        self.patienceNanoseconds = try unsafe Self.findConsumer(settings, context, shown, patienceNanoseconds)

        var options = unsafe jsSubOptions()
        unsafe jsSubOptions_Init(&options)
        var subscription: OpaquePointer?
        var code = jsErrCode(rawValue: 0)
        let status = unsafe settings.stream.withCString { stream in
            unsafe settings.durable.withCString { durable in
                unsafe options.Stream = unsafe stream
                unsafe options.Consumer = unsafe durable
                return unsafe js_PullSubscribe(&subscription, context, settings.subject, nil, nil, &options, &code)
            }
        }
        guard status == NATS_OK, let subscription = unsafe subscription else {
            throw BrokerError("\(shown): \(Self.text(status))")
        }
        unsafe self.subscription = unsafe subscription
    }

    private static func connect(_ settings: NATSSettings, _ shown: String) throws(BrokerError) -> OpaquePointer {
        var options: OpaquePointer?
        guard unsafe natsOptions_Create(&options) == NATS_OK, let options = unsafe options else {
            throw BrokerError("\(shown): no memory for a connection")
        }
        defer { unsafe natsOptions_Destroy(options) }
        func order(_ status: natsStatus) throws(BrokerError) {
            guard status == NATS_OK else { throw BrokerError("\(shown): \(text(status))", isFinal: true) }
        }
        var servers = unsafe settings.servers.map { unsafe UnsafePointer<CChar>?.some(Self.lasting($0)) }
        try order(unsafe natsOptions_SetServers(options, &servers, Int32(servers.count)))
        for index in unsafe servers.indices { unsafe thaw_nats_free(UnsafeMutablePointer(mutating: servers[index])) }
        try order(unsafe natsOptions_SetName(options, "thaw"))
        try order(unsafe natsOptions_SetTimeout(options, connectMilliseconds))
        // A connection that is lost is told, and made anew with all that depends on it.
        try order(unsafe natsOptions_SetAllowReconnect(options, false))
        if let user = settings.user {
            if let password = settings.password {
                try order(unsafe natsOptions_SetUserInfo(options, user, password))
            } else {
                try order(unsafe natsOptions_SetToken(options, user))
            }
        }
        if let name = settings.certifiedName {
            try order(unsafe natsOptions_SetSecure(options, true))
            try order(unsafe natsOptions_SetExpectedHostname(options, name))
        }
        if let file = settings.authorityFile {
            try order(unsafe natsOptions_LoadCATrustedCertificates(options, file))
        }
        if let file = settings.credentialsFile {
            try order(unsafe natsOptions_SetUserCredentialsFromFiles(options, file, nil))
        }
        var connection: OpaquePointer?
        let status = unsafe natsConnection_Connect(&connection, options)
        guard status == NATS_OK, let connection = unsafe connection else {
            throw BrokerError("\(shown): \(text(status))")
        }
        return unsafe connection
    }

    private static func findStream(
        _ settings: NATSSettings,
        _ context: OpaquePointer,
        _ shown: String
    ) throws(BrokerError) {
        var info: UnsafeMutablePointer<jsStreamInfo>?
        var code = jsErrCode(rawValue: 0)
        let status = unsafe js_GetStreamInfo(&info, context, settings.stream, nil, &code)
        switch status {
        case NATS_OK:
            unsafe jsStreamInfo_Destroy(info)
        case NATS_NOT_FOUND:
            throw BrokerError(
                "\(shown): there is no stream '\(settings.stream)': make it, with 'nats stream add \(settings.stream)'"
            )
        case NATS_NO_RESPONDERS:
            throw BrokerError("\(shown): the server has no JetStream: start it with 'nats-server -js'")
        default:
            throw BrokerError("\(shown): \(text(status))")
        }
    }

    /// - Returns: how long the server waits for an acknowledgement.
    private static func findConsumer(
        _ settings: NATSSettings,
        _ context: OpaquePointer,
        _ shown: String,
        _ patienceNanoseconds: Int64
    ) throws(BrokerError) -> UInt64 {
        var info: UnsafeMutablePointer<jsConsumerInfo>?
        var code = jsErrCode(rawValue: 0)
        var status = unsafe js_GetConsumerInfo(&info, context, settings.stream, settings.durable, nil, &code)
        if status == NATS_NOT_FOUND {
            var wanted = unsafe jsConsumerConfig()
            unsafe jsConsumerConfig_Init(&wanted)
            unsafe wanted.AckPolicy = js_AckExplicit
            unsafe wanted.AckWait = patienceNanoseconds
            unsafe wanted.DeliverPolicy = settings.startsAtNew ? js_DeliverNew : js_DeliverAll
            status = unsafe settings.durable.withCString { durable in
                unsafe withOptionalCString(settings.subject) { subject in
                    unsafe wanted.Durable = unsafe durable
                    unsafe wanted.FilterSubject = unsafe subject
                    return unsafe js_AddConsumer(&info, context, settings.stream, &wanted, nil, &code)
                }
            }
        }
        guard status == NATS_OK, let info = unsafe info, let found = unsafe info.pointee.Config else {
            throw BrokerError("\(shown): \(text(status))")
        }
        defer { unsafe jsConsumerInfo_Destroy(info) }
        let filter = unsafe found.pointee.FilterSubject.map { unsafe String(cString: $0) } ?? ""
        guard unsafe found.pointee.DeliverSubject == nil, unsafe found.pointee.AckPolicy == js_AckExplicit,
            settings.subject == nil || filter == settings.subject
        else {
            throw BrokerError(
                "\(shown): the consumer '\(settings.durable)' is there and is no pull consumer with explicit acknowledgements"
                    + " and this filter ('\(filter)'): name another as 'durable'",
                isFinal: true
            )
        }
        return unsafe UInt64(max(found.pointee.AckWait, 1_000_000_000))
    }

    /// What the library says of the error it had last on this thread, or of the status.
    static func text(_ status: natsStatus) -> String {
        var last = NATS_OK
        if let text = unsafe nats_GetLastError(&last).map({ unsafe String(cString: $0) }), last == status, !text.isEmpty
        {
            // "(conn.c:2088): No server available for connection"
            return text.firstRange(of: "): ").map { String(text[$0.upperBound...]) } ?? text
        }
        return unsafe natsStatus_GetText(status).map { unsafe String(cString: $0) } ?? "error \(status.rawValue)"
    }

    /// A copy that C owns.
    private static func lasting(_ text: String) -> UnsafeMutablePointer<CChar> {
        unsafe text.withCString { unsafe thaw_nats_copy($0) }
    }

    private static func withOptionalCString<Result>(
        _ text: String?,
        _ body: (UnsafePointer<CChar>?) -> Result
    ) -> Result {
        guard let text else { return body(nil) }
        return unsafe text.withCString { unsafe body($0) }
    }
}
#endif
