import Graphs

/// Compares what a graph answered with what it should have, as the standard's own tests do.
enum ValueDifference {
    /// Values agree where |expected − found| ≤ absolute + relative · |expected|; integers and texts where they are equal.
    struct Tolerance {
        var relative: Double
        var absolute: Double
    }

    /// A sentence on the first difference; nil where there is none.
    static func between(_ expected: GraphValue, _ found: GraphValue, _ tolerance: Tolerance) -> String? {
        switch (expected, found) {
        case (.none, .none): return nil
        case (.tensor(let expected), .tensor(let found)): return between(expected, found, tolerance)
        case (.sequence(let expected), .sequence(let found)):
            guard expected.count == found.count else {
                return "a sequence of \(found.count) instead of \(expected.count)"
            }
            for (expected, found) in zip(expected, found) {
                if let difference = between(expected, found, tolerance) { return difference }
            }
            return nil
        default: return "another kind of value than expected"
        }
    }

    private static func between(_ expected: Tensor, _ found: Tensor, _ tolerance: Tolerance) -> String? {
        guard expected.element == found.element, expected.shape == found.shape else {
            return "\(found.element) \(found.shape) instead of \(expected.element) \(expected.shape)"
        }
        if expected.element == .string {
            let place = expected.strings.indices.first { expected.strings[$0] != found.strings[$0] }
            return place.map { "\"\(found.strings[$0])\" instead of \"\(expected.strings[$0])\" at \($0)" }
        }
        guard expected.element.isFloating else {
            let (wanted, got) = (numbers(expected), numbers(found))
            let place = wanted.indices.first { wanted[$0] != got[$0] }
            return place.map { "\(got[$0]) instead of \(wanted[$0]) at \($0)" }
        }
        let (wanted, got) = (numbers(expected), numbers(found))
        let place = wanted.indices.first { !agree(wanted[$0], got[$0], tolerance) }
        return place.map { "\(got[$0]) instead of \(wanted[$0]) at \($0) of \(expected.shape)" }
    }

    private static func agree(_ expected: Double, _ found: Double, _ tolerance: Tolerance) -> Bool {
        if expected.isNaN || found.isNaN { return expected.isNaN && found.isNaN }
        if expected == found { return true }
        return abs(expected - found) <= tolerance.absolute + tolerance.relative * abs(expected)
    }

    /// Integers beyond 2⁵³ lose their lowest bits.
    private static func numbers(_ tensor: Tensor) -> [Double] {
        switch tensor.element {
        case .f32: tensor.array(of: Float.self).map(Double.init)
        case .f64: tensor.array(of: Double.self)
        case .f16: tensor.array(of: Float16.self).map(Double.init)
        case .bf16: tensor.array(of: BFloat16.self).map { Double($0.float) }
        case .i8: tensor.array(of: Int8.self).map(Double.init)
        case .i16: tensor.array(of: Int16.self).map(Double.init)
        case .i32: tensor.array(of: Int32.self).map(Double.init)
        case .i64: tensor.array(of: Int64.self).map(Double.init)
        case .u8: tensor.array(of: UInt8.self).map(Double.init)
        case .u16: tensor.array(of: UInt16.self).map(Double.init)
        case .u32: tensor.array(of: UInt32.self).map(Double.init)
        case .u64: tensor.array(of: UInt64.self).map(Double.init)
        case .bool: tensor.array(of: TensorBool.self).map { $0.value ? 1 : 0 }
        case .string: []
        }
    }
}
