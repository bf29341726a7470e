import ArgumentParser
import Foundation

/// One measured figure beside what it is measured against.
struct Figure: Encodable {
    var name: String
    var value: Double
    var unit: String
    /// The floor or the rival, measured in the same run.
    var against: String
    var againstValue: Double
    /// `value` divided by `againstValue`.
    var ratio: Double

    init(name: String, value: Double, unit: String, against: String, againstValue: Double) {
        self.name = name
        self.value = (value * 100).rounded() / 100
        self.unit = unit
        self.against = against
        self.againstValue = (againstValue * 100).rounded() / 100
        ratio = againstValue == 0 ? 0 : (value / againstValue * 1000).rounded() / 1000
    }

    /// With `json` one object a line, else a line to read.
    func show(json: Bool) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(self), as: UTF8.self))
        } else {
            print("\(name): \(value) \(unit) · \(against): \(againstValue) \(unit) · ratio \(ratio)")
        }
    }
}

/// Order statistics of a sample.
struct Sample {
    private var values: [Double]

    init(_ values: [Double]) {
        self.values = values.sorted()
    }

    var count: Int { values.count }

    /// The middle one; 0 of nothing.
    var median: Double {
        values.isEmpty ? 0 : values[values.count / 2]
    }

    /// The value that this share of all does not exceed (nearest rank); 0 of nothing.
    func percentile(_ share: Double) -> Double {
        guard !values.isEmpty else { return 0 }
        return values[min(values.count - 1, max(0, Int((share * Double(values.count)).rounded(.up)) - 1))]
    }
}

/// Rows that could not be measured: each is told at once, the others go on, and the program ends with a failure.
struct Misses {
    private var count = 0

    mutating func attempt(_ row: String, _ measure: () async throws -> Void) async {
        do {
            try await measure()
        } catch {
            count += 1
            FileHandle.standardError.write(Data("\(row) was not measured: \(error)\n".utf8))
        }
    }

    func check() throws {
        if count > 0 { throw ExitCode.failure }
    }
}
