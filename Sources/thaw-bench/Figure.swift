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
}
