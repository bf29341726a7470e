/// What a source's URL says of Kafka, as the properties of librdkafka.
struct KafkaSettings {
    let servers: String
    let topic: String
    let properties: [(name: String, value: String)]

    static let form = "kafka://HOST:PORT/TOPIC?group=NAME&start=earliest"

    /// Properties of the library that a URL may set by their own names.
    ///
    /// None that loads code into this program, and none that this file decides.
    private static let free: Set<String> = [
        "broker.address.family", "check.crcs", "client.id", "client.rack", "fetch.max.bytes", "fetch.min.bytes",
        "fetch.wait.max.ms", "heartbeat.interval.ms", "isolation.level", "max.partition.fetch.bytes",
        "session.timeout.ms",
        "ssl.ca.location", "ssl.ca.pem", "ssl.certificate.location", "ssl.cipher.suites",
        "ssl.endpoint.identification.algorithm", "ssl.key.location",
    ]
    private static let own: Set<String> = ["group", "start", "servers", "security.protocol", "sasl.mechanism"]
    private static let mechanisms: Set<String> = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

    init(_ address: BrokerAddress) throws(BrokerError) {
        guard !address.path.isEmpty, !address.path.contains("/") else {
            throw BrokerError("\(address.shown) names no topic: the source is written \(Self.form)", isFinal: true)
        }
        topic = address.path
        servers = address["servers"] ?? "\(address.host):\(address.port ?? 9092)"
        let start = address["start"] ?? "earliest"
        guard start == "earliest" || start == "latest" else {
            throw BrokerError("\(address.shown): 'start' is earliest or latest", isFinal: true)
        }
        var properties = [
            ("bootstrap.servers", servers),
            ("group.id", address["group"] ?? address.consumer),
            ("auto.offset.reset", start),
            // A mapping that is opened again, after this program or its node has died, is the same member: it has its
            // partitions back at once, where a new one would wait for the old one's session to end.
            ("group.instance.id", address.consumer),
            // How long partitions wait for a node that is gone for good; a thread of the library sends three heartbeats in it.
            ("session.timeout.ms", "10000"),
            // A function may take its time: the group is looked after between batches and within them.
            ("max.poll.interval.ms", "86400000"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            // Records read ahead: several batches of the largest kind, and not the library's 64 MiB a mapping.
            ("queued.max.messages.kbytes", "16384"),
            ("queued.min.messages", "1000"),
        ]
        properties += try Self.security(address)
        for name in address.names.sorted() where !Self.own.contains(name) {
            guard Self.free.contains(name) else {
                let known = Self.own.union(Self.free).sorted().joined(separator: ", ")
                throw BrokerError("\(address.shown): '\(name)' is none of \(known)", isFinal: true)
            }
            properties.append((name, address[name] ?? ""))
        }
        self.properties = properties
    }

    /// A name and a password go nowhere unencrypted but where the URL says so.
    private static func security(_ address: BrokerAddress) throws(BrokerError) -> [(String, String)] {
        let isKnown = address.user.map { !$0.isEmpty } ?? false
        let transport = (address["security.protocol"] ?? (isKnown ? "SASL_SSL" : "PLAINTEXT")).uppercased()
        guard ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"].contains(transport) else {
            throw BrokerError(
                "\(address.shown): security.protocol is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
                isFinal: true
            )
        }
        guard isKnown, transport.hasPrefix("SASL") else {
            guard !isKnown, !transport.hasPrefix("SASL") else {
                let rule = "a user goes with security.protocol SASL_SSL or SASL_PLAINTEXT, and these with a user"
                throw BrokerError("\(address.shown): \(rule)", isFinal: true)
            }
            return [("security.protocol", transport)]
        }
        let mechanism = (address["sasl.mechanism"] ?? "PLAIN").uppercased()
        guard mechanisms.contains(mechanism) else {
            let known = mechanisms.sorted().joined(separator: ", ")
            throw BrokerError("\(address.shown): sasl.mechanism is one of \(known)", isFinal: true)
        }
        return [
            ("security.protocol", transport), ("sasl.mechanism", mechanism),
            ("sasl.username", address.user ?? ""), ("sasl.password", address.password ?? ""),
        ]
    }
}
