/// Which brokers this build knows.
enum Brokers {
    /// - Throws: for a scheme that nobody knows, or that this build was made without.
    static func open(_ address: BrokerAddress) throws(BrokerError) -> any Broker {
        switch address.scheme {
        case "redis":
            #if canImport(CHiredis)
            return try RedisStream(address)
            #else
            throw missing("redis", "libhiredis-dev")
            #endif
        case "kafka":
            #if canImport(CRdkafka)
            return try KafkaTopic(address)
            #else
            throw missing("kafka", "librdkafka-dev")
            #endif
        case "nats":
            #if canImport(CNats)
            return try NATSStream(address)
            #else
            throw missing("nats", "libnats-dev")
            #endif
        case "postgresql", "postgres":
            #if canImport(CPostgres)
            return try PostgresOutbox(address)
            #else
            throw missing("PostgreSQL", "libpq-dev")
            #endif
        case "mqtt":
            #if canImport(CMosquitto)
            return try MosquittoTopic(address)
            #else
            throw missing("MQTT", "libmosquitto-dev")
            #endif
        default:
            throw BrokerError("'\(address.scheme)' is no source that this Thaw knows", isFinal: true)
        }
    }

    private static func missing(_ scheme: String, _ package: String) -> BrokerError {
        BrokerError(
            "this Thaw was built without \(scheme): install \(package) where it is built, and build again",
            isFinal: true
        )
    }
}
