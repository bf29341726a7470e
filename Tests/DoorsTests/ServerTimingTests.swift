import Testing

@testable import Doors

@Suite struct ServerTimingTests {
    @Test func `durations are milliseconds with three decimals`() {
        let value = ServerTiming.value(
            queueNanoseconds: 12_345,
            bindNanoseconds: 210_000,
            runNanoseconds: 3_402_999
        )
        #expect(value == "queue;dur=0.012, bind;dur=0.210, run;dur=3.402")
    }

    @Test(arguments: [
        (UInt64(0), "0.000"), (999, "0.000"), (1000, "0.001"), (1_000_000, "1.000"),
        (UInt64.max, "18446744073709.551"),
    ])
    func `the extremes keep the form`(nanoseconds: UInt64, text: String) {
        #expect(ServerTiming.milliseconds(nanoseconds) == text)
    }
}
