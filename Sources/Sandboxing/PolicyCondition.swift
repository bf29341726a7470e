/// What is wrong with the part of a rule after its call.
struct ConditionProblem: Error {
    let sentence: String
}

extension ArgumentCondition {
    /// Parses `arg0 == 1 and arg2 & 0x4 == 0`; no words are no conditions.
    static func parse(_ words: [Substring]) throws(ConditionProblem) -> [ArgumentCondition] {
        guard !words.isEmpty else { return [] }
        var conditions: [ArgumentCondition] = []
        for part in words.split(separator: "and", omittingEmptySubsequences: false) {
            let condition = try ArgumentCondition(Array(part))
            // libseccomp compares an argument once a rule.
            guard !conditions.contains(where: { $0.argument == condition.argument }) else {
                throw ConditionProblem(sentence: "arg\(condition.argument) is compared twice in one rule")
            }
            conditions.append(condition)
        }
        return conditions
    }

    private init(_ words: [Substring]) throws(ConditionProblem) {
        guard words.count == 3 || words.count == 5 else {
            let shape = "`arg0 == 1` or `arg2 & 0x4 == 0`, joined by `and`"
            throw ConditionProblem(sentence: "a condition is \(shape), not `\(words.joined(separator: " "))`")
        }
        guard words[0].utf8.count == 4, words[0].hasPrefix("arg"),
            let number = words[0].last?.wholeNumberValue, number < Policy.Limits.arguments
        else {
            throw ConditionProblem(sentence: "arguments are arg0 to arg5, not `\(words[0])`")
        }
        argument = number
        value = try ArgumentCondition.number(words[words.count - 1])
        if words.count == 5 {
            guard words[1] == "&", words[3] == "==" else {
                throw ConditionProblem(sentence: "a masked condition is `arg2 & 0x4 == 0`")
            }
            comparison = .maskedEqual(mask: try ArgumentCondition.number(words[2]))
        } else {
            comparison = try ArgumentCondition.comparison(words[1])
        }
    }

    private static func comparison(_ word: Substring) throws(ConditionProblem) -> Comparison {
        switch word {
        case "==": .equal
        case "!=": .notEqual
        case "<": .less
        case "<=": .lessOrEqual
        case ">": .greater
        case ">=": .greaterOrEqual
        default: throw ConditionProblem(sentence: "comparisons are == != < <= > >=, not `\(word)`")
        }
    }

    private static func number(_ word: Substring) throws(ConditionProblem) -> UInt64 {
        let isHexadecimal = word.hasPrefix("0x")
        let digits = isHexadecimal ? word.dropFirst(2) : word
        guard let first = digits.utf8.first, first != UInt8(ascii: "+"),
            let number = UInt64(digits, radix: isHexadecimal ? 16 : 10)
        else {
            throw ConditionProblem(sentence: "`\(word)` is not a number of 64 bits such as 4 or 0x4")
        }
        return number
    }
}
