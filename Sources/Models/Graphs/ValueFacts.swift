import Graphs

/// The size of a dimension, or a number that is worked out of sizes.
enum Size: Hashable {
    case known(Int)
    /// The same number wherever the same symbol stands, in one call.
    case symbol(Int)

    var known: Int? {
        if case .known(let size) = self { size } else { nil }
    }
}

/// What is known of a value before anything runs.
struct ValueFacts {
    var element: TensorElement?
    var shape: [Size]?
    /// The elements of a small tensor of integers, as far as they are known.
    var numbers: [Size]?

    init(_ element: TensorElement? = nil, _ shape: [Size]? = nil, numbers: [Size]? = nil) {
        self.element = element
        self.shape = shape
        self.numbers = numbers
    }

    /// The shape where all of it is known.
    var knownShape: [Int]? {
        guard let shape else { return nil }
        let sizes = shape.compactMap(\.known)
        return sizes.count == shape.count ? sizes : nil
    }

    /// Numbers of a shape are few.
    static let numbersMax = 64
}

extension [Size] {
    /// The product, where all are known.
    var product: Int? {
        var product = 1
        for size in self {
            guard let size = size.known else { return nil }
            let (next, overflow) = product.multipliedReportingOverflow(by: size)
            guard !overflow else { return nil }
            product = next
        }
        return product
    }
}
