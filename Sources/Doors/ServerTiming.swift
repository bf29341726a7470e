/// The standard `Server-Timing` header of an invocation: where its time went, in milliseconds.
enum ServerTiming {
    /// As in `queue;dur=0.012, bind;dur=0.210, run;dur=3.402`.
    static func value(queueNanoseconds: UInt64, bindNanoseconds: UInt64, runNanoseconds: UInt64) -> String {
        "queue;dur=\(milliseconds(queueNanoseconds)), bind;dur=\(milliseconds(bindNanoseconds)), "
            + "run;dur=\(milliseconds(runNanoseconds))"
    }

    /// Three decimals, cut and not rounded: the parts never add up to more than the whole.
    static func milliseconds(_ nanoseconds: UInt64) -> String {
        let microseconds = nanoseconds / 1000
        let fraction = String(microseconds % 1000)
        return "\(microseconds / 1000)." + String(repeating: "0", count: 3 - fraction.utf8.count) + fraction
    }
}
