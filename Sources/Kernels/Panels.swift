import CKernels

/// The layout of a weight that a matrix product reads: panels of 16 columns, read a step of 64 bytes at a time.
///
///     weight[inner, columns]          panel 0: columns 0…15       panel 1: columns 16…31
///     k = 0  [ c0 c1 c2 … ]     →     [ c0 … c15 ]  step 0         [ c16 … c31 ]
///     k = 1  [ c0 c1 c2 … ]           [ c0 … c15 ]  step 1         [ c16 … c31 ]
///      …                               …                            …
///
/// The kernel walks down a panel and finds the products of each step in one line of the cache. A step has four bytes of
/// each column: one float, two bfloat16 (k = 0, 1) or four integers (k = 0…3). The last panel and the last step are
/// filled up with zeros. Integers are followed, panel by panel, by 16 scales (float) and 16 sums of columns (int32).
package enum Panels {
    /// Columns of a panel: one AVX-512 register, two of AVX2.
    ///
    /// Part of the snapshot format (`Plan.Layout.panels16` and the like).
    package static let columns = 16

    /// Numbers of four bytes of a packed weight, whatever they are; inner, columns ≥ 0.
    package static func wordCount(inner: Int, columns: Int, format: WeightFormat) -> Int {
        let panelBytes = Int(thaw_panel_bytes(format.rawValue, Int64(inner)))
        return (columns + Self.columns - 1) / Self.columns * panelBytes / MemoryLayout<Float>.size
    }

    /// Floats of a weight packed as floats.
    package static func floatCount(inner: Int, columns: Int) -> Int {
        wordCount(inner: inner, columns: columns, format: .f32)
    }

    /// Packs a weight of `inner` × `columns` floats.
    ///
    /// `isColumnMajor` says that they lie as `[columns, inner]`, as in a torch `Linear`, and not as `[inner, columns]`.
    package static func pack(_ weights: [Float], inner: Int, columns: Int, isColumnMajor: Bool) -> [Float] {
        precondition(weights.count == inner * columns, "\(weights.count) floats are not \(inner) × \(columns)")
        var panels = [Float](repeating: 0, count: floatCount(inner: inner, columns: columns))
        for column in 0..<columns {
            let start = column / Self.columns * Self.columns * inner + column % Self.columns
            for k in 0..<inner {
                panels[start + k * Self.columns] = weights[isColumnMajor ? column * inner + k : k * columns + column]
            }
        }
        return panels
    }

    /// As ``pack(_:inner:columns:isColumnMajor:)``, in any format: the little-endian bytes of the panels.
    package static func pack(
        _ weights: [Float],
        inner: Int,
        columns: Int,
        isColumnMajor: Bool,
        format: WeightFormat
    ) -> [UInt8] {
        precondition(weights.count == inner * columns, "\(weights.count) floats are not \(inner) × \(columns)")
        let panelBytes = Int(thaw_panel_bytes(format.rawValue, Int64(inner)))
        var packed = PackedPanels(
            bytes: [UInt8](repeating: 0, count: (columns + Self.columns - 1) / Self.columns * panelBytes),
            panelBytes: panelBytes,
            inner: inner,
            format: format
        )
        var numbers = [Float](repeating: 0, count: inner)
        for column in 0..<columns {
            for k in 0..<inner {
                numbers[k] = weights[isColumnMajor ? column * inner + k : k * columns + column]
            }
            packed.write(numbers, column: column)
        }
        return packed.bytes
    }
}

/// Panels while their columns are written.
private struct PackedPanels {
    var bytes: [UInt8]
    let panelBytes: Int
    let inner: Int
    let format: WeightFormat

    mutating func write(_ numbers: [Float], column: Int) {
        let panel = column / Panels.columns * panelBytes
        let lane = column % Panels.columns
        let (perStep, width) = (format.numbersPerStep, 4 / format.numbersPerStep)
        let scale = format == .int8 ? Self.scale(of: numbers) : 1
        var sum: Int32 = 0
        for k in 0..<inner {
            let place = panel + (k / perStep * Panels.columns + lane) * 4 + k % perStep * width
            switch format {
            case .f32:
                put(numbers[k].bitPattern, at: place)
            case .bf16:
                put(Self.nearestBrainFloat(numbers[k]), at: place)
            case .int8:
                let integer = Self.integer(numbers[k], scale: scale)
                sum += Int32(integer)
                put(UInt8(bitPattern: integer), at: place)
            }
        }
        guard format == .int8 else { return }
        let tail = panel + panelBytes - 2 * Panels.columns * 4 + lane * 4
        put(scale.bitPattern, at: tail)
        put(UInt32(bitPattern: sum), at: tail + Panels.columns * 4)
    }

    private mutating func put<Bits: FixedWidthInteger>(_ bits: Bits, at place: Int) {
        for index in 0..<MemoryLayout<Bits>.size {
            bytes[place + index] = UInt8(truncatingIfNeeded: bits >> Bits(index * 8))
        }
    }

    /// To the nearest, ties to even; NaN stays NaN.
    private static func nearestBrainFloat(_ number: Float) -> UInt16 {
        let bits = number.bitPattern
        guard !number.isNaN else { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
    }

    /// The greatest number of the column becomes 127.
    ///
    /// A column that holds what is not finite has a scale that is not either, and says so in every result.
    private static func scale(of numbers: [Float]) -> Float {
        numbers.reduce(0) { $1.isFinite ? max($0, abs($1)) : .nan } / 127
    }

    private static func integer(_ number: Float, scale: Float) -> Int8 {
        guard scale > 0 else { return 0 }
        return Int8(exactly: (number / scale).rounded(.toNearestOrEven).clamped(to: 127)) ?? 0
    }
}

extension Float {
    fileprivate func clamped(to bound: Float) -> Float {
        max(-bound, min(bound, self))
    }
}
