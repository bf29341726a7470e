import NIOCore

/// The standard `Server-Timing` header of an invocation: where its time went, in milliseconds.
enum ServerTiming {
    /// As in `queue;dur=0.012, bind;dur=0.210, run;dur=3.402`.
    static func write(
        queueNanoseconds: UInt64,
        bindNanoseconds: UInt64,
        runNanoseconds: UInt64,
        to output: inout ByteBuffer
    ) {
        output.writeStaticString("queue;dur=")
        writeMilliseconds(queueNanoseconds, to: &output)
        output.writeStaticString(", bind;dur=")
        writeMilliseconds(bindNanoseconds, to: &output)
        output.writeStaticString(", run;dur=")
        writeMilliseconds(runNanoseconds, to: &output)
    }

    /// Three decimals, cut and not rounded: the parts never add up to more than the whole.
    static func writeMilliseconds(_ nanoseconds: UInt64, to output: inout ByteBuffer) {
        let microseconds = nanoseconds / 1000
        output.writeDecimal(microseconds / 1000)
        output.writeInteger(UInt8(ascii: "."))
        output.writeDecimal(microseconds % 1000, digitsMin: 3)
    }
}
