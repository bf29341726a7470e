import CKernels

/// Element by element over tensors of every number type; the numbers are those of ONNX's `TensorProto.DataType`.
///
/// Memory comes as spans of bytes; sizes that do not fit them are mistakes of ours and trap.
package enum Elements {
    /// Functions of one number, in the order of `enum thaw_unary_op`.
    package enum Unary: Int32, CaseIterable, Sendable {
        case abs, neg, sign, ceil, floor, round, sqrt, reciprocal, exp, log, sin, cos, tan, asin, acos, atan, sinh, cosh
        case tanh, asinh, acosh, atanh, erf, logistic, rectify, leaky, elu, celu, selu, mish, hardSwish, hardSigmoid
        case softplus, softsign, thresholded, gelu, geluTanh, swish, shrink, not
    }

    /// Operations of two numbers, in the order of `enum thaw_binary_op`; the last five answer a truth value.
    package enum Binary: Int32, CaseIterable, Sendable {
        case add, subtract, multiply, divide, maximum, minimum, modulo, remainder, power
        case bitAnd, bitOr, bitXor, shiftLeft, shiftRight, leakyBy
        case equal, less, lessOrEqual, greater, greaterOrEqual

        package var answersTruth: Bool { rawValue >= Binary.equal.rawValue }
    }

    /// Rows to one number each, in the order of `enum thaw_reduction_op`.
    package enum Reduction: Int32, CaseIterable, Sendable {
        case sum, mean, maximum, minimum, product, sumOfSquares, sumOfMagnitudes, length, logSum, logSumExp
    }

    /// A tensor walked by strides: its bytes and, by dimension, how many elements apart neighbours lie.
    package struct Walk {
        package var start: Int
        package var strides: [Int]

        package init(start: Int = 0, strides: [Int]) {
            self.start = start
            self.strides = strides
        }

        /// Whether every index of `dimensions` lies among `count` elements.
        func isInside(_ count: Int, dimensions: [Int]) -> Bool {
            var (least, greatest) = (start, start)
            for (size, stride) in zip(dimensions, strides) {
                guard size > 0 else { return true }
                if stride < 0 { least += (size - 1) * stride } else { greatest += (size - 1) * stride }
            }
            return least >= 0 && greatest < count && strides.count == dimensions.count
        }
    }

    static func byteCount(_ type: UInt8) -> Int {
        switch Int(type) {
        case 7, 11, 13: 8
        case 1, 6, 12: 4
        case 4, 5, 10, 16: 2
        default: 1
        }
    }

    /// out[i] = in[i] as the type `to`.
    package static func convert(
        _ input: borrowing Span<UInt8>,
        from: UInt8,
        to: UInt8,
        count: Int,
        out: inout MutableSpan<UInt8>
    ) {
        precondition(input.count >= count * byteCount(from) && out.count >= count * byteCount(to) && count >= 0)
        unsafe input.withUnsafeBufferPointer { input in
            unsafe out.withUnsafeMutableBufferPointer { out in
                guard let input = input.baseAddress, let out = out.baseAddress else { return }
                unsafe thaw_convert(Int32(from), input, Int32(to), out, Int64(count))
            }
        }
    }

    /// out[i] = function(in[i]); `alpha` and `beta` are the function's settings.
    package static func apply(
        _ function: Unary,
        type: UInt8,
        _ input: borrowing Span<UInt8>,
        alpha: Double = 0,
        beta: Double = 0,
        out: inout MutableSpan<UInt8>
    ) {
        let count = out.count / byteCount(type)
        precondition(input.count >= out.count)
        unsafe input.withUnsafeBufferPointer { input in
            unsafe out.withUnsafeMutableBufferPointer { out in
                guard let input = input.baseAddress, let out = out.baseAddress else { return }
                unsafe thaw_unary(function.rawValue, Int32(type), input, out, Int64(count), alpha, beta)
            }
        }
    }

    /// out = a ∘ b over `dimensions`, of which there is at least one and none is 0.
    package static func combine(
        _ operation: Binary,
        type: UInt8,
        dimensions: [Int],
        _ a: borrowing Span<UInt8>,
        _ aWalk: Walk,
        _ b: borrowing Span<UInt8>,
        _ bWalk: Walk,
        out: inout MutableSpan<UInt8>
    ) {
        let size = byteCount(type)
        precondition(dimensions.count <= 16 && !dimensions.isEmpty && !dimensions.contains(0))
        precondition(aWalk.isInside(a.count / size, dimensions: dimensions))
        precondition(bWalk.isInside(b.count / size, dimensions: dimensions))
        precondition(out.count >= dimensions.reduce(1, *) * (operation.answersTruth ? 1 : size))
        let (sizes, aStrides) = (dimensions.map(Int64.init), aWalk.strides.map(Int64.init))
        let bStrides = bWalk.strides.map(Int64.init)
        unsafe a.withUnsafeBufferPointer { a in
            unsafe b.withUnsafeBufferPointer { b in
                unsafe out.withUnsafeMutableBufferPointer { out in
                    guard let a = a.baseAddress, let b = b.baseAddress, let out = out.baseAddress else { return }
                    unsafe thaw_binary(
                        operation.rawValue,
                        Int32(type),
                        Int64(sizes.count),
                        sizes,
                        a + aWalk.start * size,
                        aStrides,
                        b + bWalk.start * size,
                        bStrides,
                        out
                    )
                }
            }
        }
    }

    /// out = in, walked by strides; elements of `byteCount` 1, 2, 4 or 8.
    package static func copy(
        byteCount: Int,
        dimensions: [Int],
        _ input: borrowing Span<UInt8>,
        _ walk: Walk,
        out: inout MutableSpan<UInt8>
    ) {
        precondition(dimensions.count <= 16 && !dimensions.isEmpty && !dimensions.contains(0))
        precondition(walk.isInside(input.count / byteCount, dimensions: dimensions))
        precondition(out.count >= dimensions.reduce(1, *) * byteCount)
        let (sizes, strides) = (dimensions.map(Int64.init), walk.strides.map(Int64.init))
        unsafe input.withUnsafeBufferPointer { input in
            unsafe out.withUnsafeMutableBufferPointer { out in
                guard let input = input.baseAddress, let out = out.baseAddress else { return }
                unsafe thaw_strided_copy(
                    Int64(byteCount),
                    Int64(sizes.count),
                    sizes,
                    input + walk.start * byteCount,
                    strides,
                    out
                )
            }
        }
    }

    /// out[i] = condition[i] ≠ 0 ? a[i] : b[i]; a or b of one element is repeated.
    package static func select(
        byteCount: Int,
        _ condition: borrowing Span<UInt8>,
        _ a: borrowing Span<UInt8>,
        _ b: borrowing Span<UInt8>,
        out: inout MutableSpan<UInt8>
    ) {
        let count = out.count / byteCount
        let (aStep, bStep) = (a.count == byteCount ? 0 : 1, b.count == byteCount ? 0 : 1)
        precondition(condition.count >= count && (aStep == 0 || a.count >= out.count))
        precondition(bStep == 0 || b.count >= out.count)
        unsafe condition.withUnsafeBufferPointer { condition in
            unsafe a.withUnsafeBufferPointer { a in
                unsafe b.withUnsafeBufferPointer { b in
                    unsafe out.withUnsafeMutableBufferPointer { out in
                        guard let condition = condition.baseAddress, let a = a.baseAddress, let b = b.baseAddress,
                            let out = out.baseAddress
                        else { return }
                        unsafe thaw_select(
                            Int64(byteCount),
                            condition,
                            a,
                            Int64(aStep),
                            b,
                            Int64(bStep),
                            out,
                            Int64(count)
                        )
                    }
                }
            }
        }
    }
}
