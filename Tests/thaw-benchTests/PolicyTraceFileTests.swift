import Testing

@testable import thaw_bench

@Suite struct PolicyTraceFileTests {
    private static let csv = """
        HashOwner,HashApp,HashFunction,Trigger,1,2,3,4
        a,b,c,http,0,2,0,1
        a,b,d,timer,0,0,0,0
        a,b,e,queue,1, 1,1,1

        """

    private func trace(_ text: String) throws -> ArrivalTrace {
        try ArrivalTrace(csv: Array(text.utf8), path: "trace.csv")
    }

    @Test func `minutes with calls are read, functions without any are left out`() throws {
        let trace = try trace(Self.csv)
        #expect(trace.minutes == 4 && trace.callCount == 7)
        #expect(trace.functions == [[1, 3], [0, 1, 2, 3]])
        #expect(trace.half(1).functions == [[0, 1, 2, 3]])
        #expect(trace.events.map(\.function) == [1, 0, 1, 1, 0, 1])
    }

    @Test func `lines may end with a carriage return`() throws {
        let trace = try trace(Self.csv.replacing("\n", with: "\r\n"))
        #expect(trace.minutes == 4 && trace.callCount == 7)
    }

    @Test(arguments: [
        "", "\n", "a,b,c,d\n", "a,b,c,d,1\nx,y,z,t\n", "a,b,c,d,1\nx,y,z,t,-1\n", "a,b,c,d,1\nx,y,z,t,1,2\n",
        "a,b,c,d,1\nx,y,z,t,4294967296\n", "a,b,c,d,1\nx,y,z,t,0\n",
    ])
    func `what is no trace is refused, with the line`(text: String) {
        #expect(throws: PolicyBenchError.self) { try trace(text) }
    }

    @Test(arguments: Array(1...500) as [UInt64]) func `a damaged trace is read or refused, and never crashes`(
        seed: UInt64
    ) {
        var bytes = Array(Self.csv.utf8)
        var state = seed
        func random(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0...random(below: 6) {
            let place = random(below: bytes.count)
            switch random(below: 4) {
            case 0: bytes[place] = UInt8(random(below: 256))
            case 1: bytes.insert(contentsOf: Array(",9\n,".utf8).shuffled(by: random(below: 4)), at: place)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random(below: 9)))
            default: bytes[place] = UInt8(ascii: "9")
            }
            if bytes.isEmpty { break }
        }
        guard let trace = try? ArrivalTrace(csv: bytes, path: "trace.csv") else { return }
        #expect(trace.functions.allSatisfy { minutes in minutes.allSatisfy { (0..<trace.minutes).contains($0) } })
        #expect(trace.functions.allSatisfy { $0 == $0.sorted() && !$0.isEmpty })
    }
}

extension [UInt8] {
    fileprivate func shuffled(by offset: Int) -> [UInt8] {
        Array(self[offset...] + self[..<offset])
    }
}
