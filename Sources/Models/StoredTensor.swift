/// The number formats of model files that become `Float`.
package enum StoredElement: Sendable {
    case f32, f64, f16, bf16

    package var byteCount: Int {
        switch self {
        case .f64: 8
        case .f32: 4
        case .f16, .bf16: 2
        }
    }
}

/// Numbers that lie in the archive, row-major, little-endian, at any alignment.
package struct StoredTensor: Equatable, Sendable {
    /// Bytes in the archive; a whole number of elements.
    package var range: Range<Int>
    package var element: StoredElement
    package var shape: [Int]

    package init(range: Range<Int>, element: StoredElement, shape: [Int]) {
        self.range = range
        self.element = element
        self.shape = shape
    }
}

/// Shapes as files give them: any integers at all.
enum Shape {
    /// Elements of a tensor; nil for a negative dimension, too many dimensions or elements.
    static func elementCount(_ dimensions: [Int]) -> Int? {
        guard dimensions.count <= ModelLimits.dimensionsMax else { return nil }
        var count = 1
        for dimension in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard dimension >= 0, !overflow, product <= ModelLimits.elementsMax else { return nil }
            count = product
        }
        return count
    }

    /// `[384, 1536]`.
    static func text(_ dimensions: [Int]) -> String {
        "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
    }
}
