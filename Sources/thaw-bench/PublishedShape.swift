import Foundation

/// The shape of Azure Functions 2019 as published (Shahrad et al., ATC'20), read off the figures of the data set.
enum PublishedShape {
    /// Calls a day of a function.
    static let rates = Distribution(
        values: [0.05, 0.1, 0.2, 0.5, 0.9, 1.2, 2.2, 5, 10, 20, 50, 100, 200, 500, 1e3, 3e3, 1e4, 3e4, 1e5, 1e6],
        shares: [
            0, 0.07, 0.119, 0.212, 0.264, 0.364, 0.429, 0.507, 0.563, 0.614, 0.695, 0.742, 0.786, 0.866, 0.895, 0.946,
            0.969, 0.983, 0.993, 1,
        ]
    )

    /// The curve's steps, by where they lie in it: what is called so often each day is a timer.
    ///
    /// A day, an hour, half and a quarter of one, five minutes, one.
    static let rateSteps: [(value: Double, shares: Range<Double>)] = [
        (1, 0.264..<0.364), (24, 0.622..<0.632), (48, 0.688..<0.695), (96, 0.738..<0.742), (288, 0.800..<0.850),
        (1440, 0.900..<0.940),
    ]

    /// The gaps' deviation over their mean, of apps without timers.
    static let variations = Distribution(
        values: [0.005, 0.02, 0.1, 0.3, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 10, 20],
        shares: [0, 0.115, 0.14, 0.19, 0.23, 0.35, 0.46, 0.55, 0.68, 0.76, 0.84, 0.885, 0.91, 1]
    )
}

/// A published curve: which share does not exceed each value; between them straight over the values' logarithms.
struct Distribution {
    let values: [Double]
    /// Ascending from 0 to 1.
    let shares: [Double]

    func quantile(_ share: Double) -> Double {
        let upper = shares.firstIndex { $0 > share } ?? shares.count - 1
        let lower = max(0, upper - 1)
        let width = shares[upper] - shares[lower]
        let part = width > 0 ? (share - shares[lower]) / width : 0
        return values[lower] * pow(values[upper] / values[lower], part)
    }

    /// The largest difference between the published shares and the sample's, at the values that were published.
    func distance(to sample: [Double]) -> Double {
        guard !sample.isEmpty else { return 1 }
        return zip(values, shares).reduce(0.0) { largest, point in
            let share = Double(sample.count { $0 <= point.0 }) / Double(sample.count)
            return max(largest, abs(share - point.1))
        }
    }
}
