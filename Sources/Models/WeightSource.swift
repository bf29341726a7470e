import Kernels

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
        case panels(inner: Int, columns: Int, isColumnMajor: Bool)
    }

    package var numbers: Numbers
    package var arrangement: Arrangement

    package init(_ numbers: Numbers, _ arrangement: Arrangement = .plain) {
        self.numbers = numbers
        self.arrangement = arrangement
    }

    /// Calls `body` with the weight's floats as the snapshot keeps them.
    package func withBytes<Result, Failure: Error>(
        in archive: borrowing RawSpan,
        _ body: (borrowing RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if arrangement == .plain, case .stored(let tensors) = numbers, tensors.count == 1, tensors[0].element == .f32 {
            return try body(archive.extracting(tensors[0].range))
        }
        let floats = arranged(self.floats(in: archive))
        // A Float has no padding: each of its bytes may be read.
        return try body(unsafe floats.span.bytes)
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

    private func arranged(_ floats: [Float]) -> [Float] {
        switch arrangement {
        case .plain:
            floats
        case .panels(let inner, let columns, let isColumnMajor):
            Panels.pack(floats, inner: inner, columns: columns, isColumnMajor: isColumnMajor)
        }
    }
}
