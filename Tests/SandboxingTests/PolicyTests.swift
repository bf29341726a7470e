import Sandboxing
import Testing

struct PolicyTests {
    @Test func `a policy is its lines and those it includes, without comments`() throws {
        let policy = try parse([
            "main": """
            # what it may do
            include base   # first

            mmap  arg2 & 0x4 == 0   # no new code
            clone arg0 == 17 and arg1 >= 0x10
            """,
            "base": "read\nwrite # out",
        ])
        #expect(policy.rules.map(\.call) == ["read", "write", "mmap", "clone"])
        #expect(policy.rules[0].file == "base.policy")
        #expect(policy.rules[2].line == 4)
        #expect(
            policy.rules[2].conditions == [
                ArgumentCondition(argument: 2, comparison: .maskedEqual(mask: 4), value: 0)
            ]
        )
        #expect(
            policy.rules[3].conditions == [
                ArgumentCondition(argument: 0, comparison: .equal, value: 17),
                ArgumentCondition(argument: 1, comparison: .greaterOrEqual, value: 16),
            ]
        )
    }

    @Test func `a call may be said not to exist`() throws {
        let policy = try parse(["main": "read\nclone3 absent"])
        #expect(policy.hides("clone3") && !policy.mentions("clone3"))
        #expect(policy.mentions("read") && !policy.hides("read"))
    }

    @Test(arguments: [
        ("clone3 absent\nclone3", "main.policy:2: clone3 is allowed already, by main.policy:1; keep one of the two"),
        ("read\nread", "main.policy:2: read is allowed already, by main.policy:1; keep one of the two"),
        ("read arg0 == 1\nread", "main.policy:2: read is allowed already, by main.policy:1; keep one of the two"),
        ("\nRead", "main.policy:2: a line begins with the name of a system call or `include`, not with `Read`"),
        ("read arg6 == 1", "main.policy:1: read: arguments are arg0 to arg5, not `arg6`"),
        ("read arg0 = 1", "main.policy:1: read: comparisons are == != < <= > >=, not `=`"),
        ("read arg0 & 1 != 1", "main.policy:1: read: a masked condition is `arg2 & 0x4 == 0`"),
        ("read arg0 == -1", "main.policy:1: read: `-1` is not a number of 64 bits such as 4 or 0x4"),
        ("read arg0 == +1", "main.policy:1: read: `+1` is not a number of 64 bits such as 4 or 0x4"),
        ("read arg0 == 1 and arg0 < 4", "main.policy:1: read: arg0 is compared twice in one rule"),
        (
            "read please",
            "main.policy:1: read: a condition is `arg0 == 1` or `arg2 & 0x4 == 0`, joined by `and`, not `please`"
        ),
        ("include", "main.policy:1: `include` takes the name of one policy"),
        ("include ../main", "main.policy:1: `include` takes the name of one policy"),
        ("include main", "main.policy:1: policies include one another more than 4 deep"),
        ("include other", "the policy other cannot be read: no such text"),
    ])
    func `a mistake is named with its line`(text: String, sentence: String) {
        let error = #expect(throws: PolicyError.self) { try parse(["main": text]) }
        #expect(error?.description == sentence)
    }

    @Test func `a call that does not exist is named when the policy is compiled`() {
        let error = #expect(throws: PolicyError.self) {
            try parse(["main": "read\nopenn"]).compiled(refusing: .trap)
        }
        #expect(error?.description == "main.policy:2: no system call has the name `openn`")
    }

    @Test func `a policy beyond its size is refused`() {
        #expect(throws: PolicyError.self) { try parse(["main": String(repeating: "#", count: 65537)]) }
        let many = (0..<513).map { "read arg0 == \($0)" }.joined(separator: "\n")
        #expect(throws: PolicyError.self) { try parse(["main": many]) }
    }

    @Test func `a worker's rule that its template lacks is refused`() {
        let error = #expect(throws: PolicyError.self) {
            try Policies { (name) throws(PolicyError) -> String in name == "worker" ? "read\nwrite" : "read" }
        }
        let reason = "a worker inherits its template's filter, and template.policy does not allow write"
        #expect(error?.description == "worker.policy:2: \(reason)")
    }

    @Test func `no mutation of a policy makes the parser trap`() throws {
        let seed = Array("include base\nmmap arg2 & 0x4 == 0 and arg0 <= 18446744073709551615 # no\r\n\tread\n".utf8)
        var random = SplitMix(state: 2)
        for _ in 0..<5000 {
            var bytes = seed
            for _ in 0...(random.next() % 6) {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 3 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.insert(bytes[Int(random.next() % UInt64(bytes.count))], at: place)
                default: bytes.remove(at: place)
                }
                if bytes.isEmpty { bytes = seed }
            }
            _ = try? parse(["main": String(decoding: bytes, as: UTF8.self), "base": "write"])
        }
    }

    @discardableResult private func parse(_ texts: [String: String]) throws(PolicyError) -> Policy {
        try Policy(named: "main") { (name) throws(PolicyError) -> String in
            guard let text = texts[name] else { throw .unreadable(file: name, reason: "no such text") }
            return text
        }
    }
}

/// Chance that a seed repeats.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
