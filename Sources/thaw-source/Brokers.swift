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
