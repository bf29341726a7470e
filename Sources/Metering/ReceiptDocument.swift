import Scheduling

/// A receipt as JSON: the field names are the interface, the order that of a reader's questions.
extension Receipt: Codable {
    private enum CodingKeys: String, CodingKey {
        case id, attempt, parent, node, function, version, snapshot, start
        case acceptedAt, acceptedUnixNanoseconds
        case queueNanoseconds, bindNanoseconds, runNanoseconds, cpuNanoseconds
        case batchSize, memoryBytesPeak, bytesIn, bytesOut
        case outcome, reason, status
        case billedNanodollars, rateCard
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(attempt, forKey: .attempt)
        try container.encodeIfPresent(parent, forKey: .parent)
        try container.encode(node, forKey: .node)
        try container.encode(function, forKey: .function)
        try container.encode(version, forKey: .version)
        try container.encode(snapshot, forKey: .snapshot)
        // An explicit null: a reader need not tell "no worker" from "an older Thaw".
        try container.encode(start, forKey: .start)
        try container.encode(acceptedAt, forKey: .acceptedAt)
        try container.encode(acceptedUnixNanoseconds, forKey: .acceptedUnixNanoseconds)
        try container.encode(queueNanoseconds, forKey: .queueNanoseconds)
        try container.encode(bindNanoseconds, forKey: .bindNanoseconds)
        try container.encode(runNanoseconds, forKey: .runNanoseconds)
        try container.encode(cpuNanoseconds, forKey: .cpuNanoseconds)
        try container.encode(batchSize, forKey: .batchSize)
        try container.encode(memoryBytesPeak, forKey: .memoryBytesPeak)
        try container.encode(bytesIn, forKey: .bytesIn)
        try container.encode(bytesOut, forKey: .bytesOut)
        try container.encode(outcome, forKey: .outcome)
        try container.encode(reason, forKey: .reason)
        try container.encode(status, forKey: .status)
        try container.encode(billedNanodollars, forKey: .billedNanodollars)
        try container.encode(rateCard, forKey: .rateCard)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            Attempt(
                id: try container.decode(InvocationID.self, forKey: .id),
                number: try container.decode(Int.self, forKey: .attempt),
                parent: try container.decodeIfPresent(InvocationID.self, forKey: .parent),
                function: try container.decode(String.self, forKey: .function),
                version: try container.decode(Int.self, forKey: .version),
                snapshot: try container.decode(String.self, forKey: .snapshot),
                bytesIn: try container.decode(Int.self, forKey: .bytesIn),
                acceptedUnixNanoseconds: try container.decode(UInt64.self, forKey: .acceptedUnixNanoseconds)
            )
        )
        node = try container.decode(String.self, forKey: .node)
        start = try container.decodeIfPresent(StartKind.self, forKey: .start)
        queueNanoseconds = try container.decode(UInt64.self, forKey: .queueNanoseconds)
        bindNanoseconds = try container.decode(UInt64.self, forKey: .bindNanoseconds)
        runNanoseconds = try container.decode(UInt64.self, forKey: .runNanoseconds)
        cpuNanoseconds = try container.decode(UInt64.self, forKey: .cpuNanoseconds)
        batchSize = try container.decodeIfPresent(Int.self, forKey: .batchSize) ?? 1
        memoryBytesPeak = try container.decode(Int.self, forKey: .memoryBytesPeak)
        bytesOut = try container.decode(Int.self, forKey: .bytesOut)
        outcome = try container.decode(Outcome.self, forKey: .outcome)
        reason = try container.decodeIfPresent(String.self, forKey: .reason)
        status = try container.decode(Int.self, forKey: .status)
        billedNanodollars = try container.decode(Int.self, forKey: .billedNanodollars)
        rateCard = try container.decode(String.self, forKey: .rateCard)
    }
}
