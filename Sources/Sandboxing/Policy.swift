/// The system calls that one role may make; everything else ends the process that tries.
///
/// ```
/// include worker                  # the rules of worker.policy first
/// read                            # who needs it
/// mmap    arg2 & 4 == 0           # no PROT_EXEC
/// clone3  absent                  # answered as by a kernel that has no such call
/// kill    arg0 == 0 and arg1 == 0
/// ```
package struct Policy: Equatable, Sendable {
    /// The file's name without `.policy`.
    package let name: String
    package let rules: [PolicyRule]

    /// A policy is read by people: the limits are far above what one of them would write.
    package enum Limits {
        static let textBytesMax = 64 * 1024
        static let rulesMax = 512
        static let includeDepthMax = 4
        /// Registers that carry arguments.
        static let arguments = 6
    }

    /// Parses a policy; `text` answers the text of one by its name, the included ones too.
    package init(
        named name: String,
        text: (_ name: String) throws(PolicyError) -> String
    ) throws(PolicyError) {
        var reader = PolicyReader()
        try reader.read(name, depth: 0, text: text)
        self.name = name
        rules = reader.rules
    }

    /// Whether any rule lets the call pass, be it with certain arguments only.
    package func mentions(_ call: String) -> Bool {
        rules.contains { $0.call == call && !$0.isAbsent }
    }

    /// Whether the call is answered as one that the kernel does not have.
    package func hides(_ call: String) -> Bool {
        rules.contains { $0.call == call && $0.isAbsent }
    }
}

/// Collects the rules of a policy and of those that it includes.
private struct PolicyReader {
    var rules: [PolicyRule] = []
    private var lineByRule: [String: (file: String, line: Int, isConditional: Bool)] = [:]

    mutating func read(
        _ name: String,
        depth: Int,
        text: (String) throws(PolicyError) -> String
    ) throws(PolicyError) {
        let file = "\(name).policy"
        let contents = try text(name)
        guard contents.utf8.count <= Policy.Limits.textBytesMax else {
            throw .whole(file: file, problem: "a policy has at most \(Policy.Limits.textBytesMax) bytes")
        }
        var number = 0
        for line in contents.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            guard let first = words.first else { continue }
            let place = (file: file, line: number)
            if first == "include" {
                try include(words.dropFirst(), at: place, depth: depth, text: text)
            } else {
                try add(call: String(first), words.dropFirst(), at: place)
            }
        }
    }

    private mutating func include(
        _ words: ArraySlice<Substring>,
        at place: (file: String, line: Int),
        depth: Int,
        text: (String) throws(PolicyError) -> String
    ) throws(PolicyError) {
        guard words.count == 1, let name = words.first, name.utf8.allSatisfy(isNameByte) else {
            throw .line(file: place.file, line: place.line, problem: "`include` takes the name of one policy")
        }
        guard depth < Policy.Limits.includeDepthMax else {
            let problem = "policies include one another more than \(Policy.Limits.includeDepthMax) deep"
            throw .line(file: place.file, line: place.line, problem: problem)
        }
        try read(String(name), depth: depth + 1, text: text)
    }

    private mutating func add(
        call: String,
        _ words: ArraySlice<Substring>,
        at place: (file: String, line: Int)
    ) throws(PolicyError) {
        func refuse(_ problem: String) -> PolicyError { .line(file: place.file, line: place.line, problem: problem) }
        guard call.utf8.allSatisfy(isNameByte) else {
            throw refuse("a line begins with the name of a system call or `include`, not with `\(call)`")
        }
        let isAbsent = words.elementsEqual(["absent"])
        let conditions: [ArgumentCondition]
        do throws(ConditionProblem) {
            conditions = isAbsent ? [] : try ArgumentCondition.parse(Array(words))
        } catch {
            throw refuse("\(call): \(error.sentence)")
        }
        if let earlier = lineByRule[call], !earlier.isConditional || conditions.isEmpty {
            throw refuse("\(call) is allowed already, by \(earlier.file):\(earlier.line); keep one of the two")
        }
        guard rules.count < Policy.Limits.rulesMax else {
            throw refuse("a policy has at most \(Policy.Limits.rulesMax) rules")
        }
        lineByRule[call] = (place.file, place.line, !conditions.isEmpty)
        rules.append(
            PolicyRule(call: call, isAbsent: isAbsent, conditions: conditions, file: place.file, line: place.line)
        )
    }
}

private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
    default: false
    }
}
