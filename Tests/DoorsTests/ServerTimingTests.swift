import NIOCore
import Testing

@testable import Doors

@Suite struct ServerTimingTests {
    private func text(_ write: (inout ByteBuffer) -> Void) -> String {
        var buffer = ByteBuffer()
        write(&buffer)
        return String(buffer: buffer)
    }

    @Test func `durations are milliseconds with three decimals`() {
        let value = text {
            ServerTiming.write(
                queueNanoseconds: 12_345,
                bindNanoseconds: 210_000,
                runNanoseconds: 3_402_999,
                to: &$0
            )
        }
        #expect(value == "queue;dur=0.012, bind;dur=0.210, run;dur=3.402")
    }

    @Test(arguments: [
        (UInt64(0), "0.000"), (999, "0.000"), (1000, "0.001"), (1_000_000, "1.000"),
        (UInt64.max, "18446744073709.551"),
    ])
    func `the extremes keep the form`(nanoseconds: UInt64, expected: String) {
        #expect(text { ServerTiming.writeMilliseconds(nanoseconds, to: &$0) } == expected)
    }

    @Test(arguments: [0, 9, 10, 99, 100, 12_345, 9_999_999_999_999_999_999, 10_000_000_000_000_000_000, UInt64.max])
    func `numbers are written as they are printed`(number: UInt64) {
        #expect(text { $0.writeDecimal(number) } == "\(number)")
    }
}
