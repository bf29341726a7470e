import Linux
import Serving
import Wire

/// The network of a function that may connect to the outside.
///
/// Its template's network has a way out, which the scheduler attaches as the template starts, once for all workers.
enum Egress {
    /// The way out answers questions for names at this address; no host has it (RFC 6890).
    static let resolver = "192.0.0.53"

    /// Attached in some 10 ms; on a machine that does everything else a second may pass.
    private static let attachMilliseconds = 5000

    /// Closes what the function shall not reach although the machine could: its own addresses, and where clouds give away its
    /// credentials (169.254.0.0/16, and fd00:ec2::254 of AWS).
    static func close(_ egress: CodeBoot.Egress) throws(SystemError) {
        try Namespaces.bringUpLoopback()
        for bytes in egress.closed {
            if let address = NetworkAddress(bytes: bytes) { try Routes.refuse(address) }
        }
        if let local = NetworkAddress(bytes: [169, 254, 0, 0]) { try Routes.refuse(local, prefixBits: 16) }
        let metadata = NetworkAddress(bytes: [0xFD, 0, 0x0E, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54])
        if let metadata { try Routes.refuse(metadata) }
    }

    /// Waits until connections have a way.
    static func await() throws(LoadFailure) {
        guard comesUp(withinMilliseconds: attachMilliseconds) else {
            throw LoadFailure(
                message: """
                    Runtime.Unknown: network: egress found no way out within \(attachMilliseconds) ms; is this machine \
                    connected, and pasta allowed to attach to it?
                    """
            )
        }
    }

    /// Whether there is a way within that time.
    static func comesUp(withinMilliseconds milliseconds: Int) -> Bool {
        let end = Clock.monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
        while !Routes.hasDefault() {
            guard Clock.monotonicNanoseconds() < end else { return false }
            Clock.sleep(milliseconds: 1)
        }
        return true
    }
}
