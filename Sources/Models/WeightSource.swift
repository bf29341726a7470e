package import Kernels

/// How to make one weight of a plan from the archive, when it is needed and not before: a model's floats are never
/// held all at once.
package struct WeightSource: Equatable, Sendable {
    /// Where the numbers come from.
    package enum Numbers: Equatable, Sendable {
        /// Parts of the archive, one after the other.
        case stored([StoredTensor])
        /// Small ones that the importer worked out.
        case computed([Float])
    }

    /// What is done to them.
    package enum Arrangement: Equatable, Sendable {
        case plain
        /// Panels for a product of `inner` × `columns`. Column-major means as in a torch Linear: `[columns, inner]`.
        case panels(inner: Int, columns: Int, isColumnMajor: Bool, format: WeightFormat)
    }

    package var numbers: Numbers
    package var arrangement: Arrangement

    package init(_ numbers: Numbers, _ arrangement: Arrangement = .plain) {
        self.numbers = numbers
        self.arrangement = arrangement
    }

    /// Calls `body` with the weight's numbers as the snapshot keeps them.
    package func withBytes<Result, Failure: Error>(
        in archive: borrowing RawSpan,
        _ body: (borrowing RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if arrangement == .plain, case .stored(let tensors) = numbers, tensors.count == 1, tensors[0].element == .f32 {
            return try body(archive.extracting(tensors[0].range))
        }
        let floats = self.floats(in: archive)
        // Neither floats nor bytes have padding: each byte of either may be read.
        switch arrangement {
        case .plain:
            return try body(unsafe floats.span.bytes)
        case .panels(let inner, let columns, let isColumnMajor, .f32):
            let panels = Panels.pack(floats, inner: inner, columns: columns, isColumnMajor: isColumnMajor)
            return try body(unsafe panels.span.bytes)
        case .panels(let inner, let columns, let isColumnMajor, let format):
            let panels = Panels.pack(
                floats,
                inner: inner,
                columns: columns,
                isColumnMajor: isColumnMajor,
                format: format
            )
            return try body(unsafe panels.span.bytes)
        }
    }

    private func floats(in archive: borrowing RawSpan) -> [Float] {
        switch numbers {
        case .computed(let floats):
            return floats
        case .stored(let tensors):
            var floats: [Float] = []
            for tensor in tensors {
                FileBytes.append(tensor, of: archive, to: &floats)
            }
            return floats
        }
    }
}
