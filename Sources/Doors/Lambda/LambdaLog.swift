import FoundationEssentials

/// The lines that the platform writes around what a function writes in one call.
struct LambdaLog: Sendable {
    var requestID: String
    var version: String
    var memoryMebibytes: Int
    var runNanoseconds: UInt64
    /// nil for a call that found its function started.
    var initNanoseconds: UInt64?
    var memoryBytesPeak: UInt64

    /// The last bytes of a call's log that a caller is shown.
    static let tailBytes = 4096

    var report: String {
        var fields = [
            "REPORT RequestId: \(requestID)",
            "Duration: \(Self.milliseconds(runNanoseconds)) ms",
            "Billed Duration: \((runNanoseconds + (initNanoseconds ?? 0) + 999_999) / 1_000_000) ms",
            "Memory Size: \(memoryMebibytes) MB",
            "Max Memory Used: \((memoryBytesPeak + (1 << 20) - 1) >> 20) MB",
        ]
        if let initNanoseconds { fields.append("Init Duration: \(Self.milliseconds(initNanoseconds)) ms") }
        return fields.joined(separator: "\t") + "\t"
    }

    /// Two decimals, cut.
    static func milliseconds(_ nanoseconds: UInt64) -> String {
        let hundredths = nanoseconds / 10_000
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// Base64 of the last bytes of all.
    func tail(_ lines: [String]) -> String {
        let all =
            ["START RequestId: \(requestID) Version: \(version)"] + lines + ["END RequestId: \(requestID)", report]
        let text = all.map { $0 + "\n" }.joined()
        return Data(text.utf8.suffix(Self.tailBytes)).base64EncodedString()
    }
}
