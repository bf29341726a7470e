import Testing

@testable import thaw

@Suite struct InvocationReportTests {
    @Test func `the timing header becomes numbers`() {
        let timing = InvocationReport.timing("queue;dur=0.012, bind;dur=0.210, run;dur=3.402")
        #expect(timing == ["queue": 0.012, "bind": 0.210, "run": 3.402])
    }

    @Test(arguments: ["", ";", ",,,", "a;dur=", "a;desc=x", "dur=1"])
    func `a header that another server wrote gives what it has`(header: String) {
        #expect(InvocationReport.timing(header).values.allSatisfy { $0.isFinite })
    }
}
