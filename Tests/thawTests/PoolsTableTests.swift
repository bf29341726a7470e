import Foundation
import Invoking
import Testing

@testable import thaw

@Suite struct PoolsTableTests {
    private func report(_ change: (inout PoolsReport) -> Void) throws -> PoolsReport {
        let json = """
            {"functions": [{"name": "embed", "workers": 0, "parked": 1, "tier": "packed", "bytes": 62000000, "waiting": 0,
              "running": 0, "prewarms": 7, "hits": 5, "waste": 2}],
             "hugePages": "thp", "resting": {"bytes": 62000000, "bytesMax": 1000000000, "unlockedFiles": 0}}
            """
        var report = try JSONDecoder().decode(PoolsReport.self, from: Data(json.utf8))
        change(&report)
        return report
    }

    @Test func `a row has tier, bytes and what became of what was made ready ahead`() throws {
        let lines = PoolsTable(try report { _ in }).text.split(separator: "\n")
        #expect(lines[1].split(separator: " ") == ["embed", "0", "1", "packed", "62.0", "MB", "7", "5", "2"])
        #expect(lines.contains("at rest: 62.0 MB of 1.00 GB"))
        #expect(lines.contains("huge pages: thp"))
    }

    @Test func `what the machine does not give is said, with what to do`() throws {
        let text = PoolsTable(
            try report { report in
                report.hugePages = "none"
                report.resting.unlockedFiles = 3
            }
        ).text
        #expect(text.contains("huge pages: none; the kernel offers none"))
        #expect(text.contains("not locked in memory: 3 (raise RLIMIT_MEMLOCK)"))
    }

    @Test func `a node that keeps nothing says how it would`() throws {
        let text = PoolsTable(try report { $0.resting.bytesMax = 0 }).text
        #expect(text.contains("nothing is kept (serve --resting-memory)"))
    }
}
