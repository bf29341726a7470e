import Testing

@testable import thaw_bench

/// What `thaw-bench policy` takes for a trace.
@Suite struct PolicyTraceFileTests {
    private static let header = "HashOwner,HashApp,HashFunction,Trigger,1,2,3"

    private func trace(_ lines: [String], end: String = "\n") throws -> ArrivalTrace {
        try ArrivalTrace(csv: Array(lines.joined(separator: end).utf8), path: "t.csv")
    }

    @Test(arguments: ["\n", "\r\n"])
    func `a line is a function, a column a minute, and who was never called is left out`(end: String) throws {
        let lines = [Self.header, "o,a,f,http,0,2,1", "o,a,g,timer,0,0,0", "o,a,h,queue,5,0,0", ""]
        let trace = try trace(lines, end: end)
        #expect(trace.minutes == 3)
        #expect(trace.functions == [[1, 2], [0]])
        #expect(trace.callCount == 8)
    }

    @Test(
        arguments: [
            ([], 1), (["a,b,c,d"], 1), ([header, "o,a,f,http,0,2"], 2), ([header, "o,a,f,http,0,2,1,4"], 2),
            ([header, "o,a,f,http,0,2,1", "o,a,g,http,0,-1,0"], 3), ([header, "o,a,f,http,0,many,1"], 2),
            ([header, "o,a,f,http,0,4294967296,1"], 2), ([header, "o,a,f,http,0,0,0"], 2), ([header], 1),
        ] as [([String], Int)]
    )
    func `what is no trace is refused with its line`(lines: [String], line: Int) throws {
        let error = #expect(throws: PolicyBenchError.self) { _ = try trace(lines) }
        #expect(error?.description.hasPrefix("line \(line) of t.csv") == true, "\(error?.description ?? "none")")
    }
}
