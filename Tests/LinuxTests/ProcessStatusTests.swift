import Testing

@testable import Linux

struct ProcessStatusTests {
    private static let text = """
        Name:\tpython3
        NSpid:\t812\t40\t17
        CapInh:\t0000000000000000
        CapPrm:\t0000000000000000
        CapEff:\t0000000000000000
        CapBnd:\t0000000000240000
        CapAmb:\t0000000000000000

        """

    @Test func `a process without power has its innermost number`() throws {
        let status = try #require(ProcessStatus(parsing: Self.text))
        #expect(status == ProcessStatus(parsing: Self.text + "Seccomp:\t2\n"))
        #expect(status.innermostNumber == 17 && !status.hasCapabilities)
    }

    @Test(arguments: ["CapInh", "CapPrm", "CapAmb"])
    func `a capability that it has, or could take, is seen`(set: String) throws {
        let powerful = Self.text.replacing("\(set):\t0000000000000000", with: "\(set):\t0000000000200000")
        #expect(try #require(ProcessStatus(parsing: powerful)).hasCapabilities)
    }

    @Test(arguments: ["NSpid:", "CapInh:", "CapPrm:", "CapAmb:"])
    func `a status that lacks a line, or whose line says nothing, says nothing`(line: String) {
        #expect(ProcessStatus(parsing: Self.text.replacing(line, with: "Other:")) == nil)
        #expect(ProcessStatus(parsing: Self.text.replacing("\(line)\t", with: "\(line)\tx\n\t")) == nil)
    }

    @Test func `this process has a status`() throws {
        #expect(try ProcessStatus(of: CurrentProcess.pid).innermostNumber > 0)
    }
}
