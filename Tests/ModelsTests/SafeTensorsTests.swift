import Testing

@testable import Models

/// A safetensors file with this header and so many bytes of data.
func safetensors(_ header: String, data: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
}

private func refusal(_ bytes: [UInt8]) -> String {
    let padded = [0xAA, 0xAA, 0xAA] + bytes
    do throws(ModelError) {
        _ = try SafeTensors(3..<padded.count, in: padded.span.bytes, path: "m.safetensors")
        return "not refused"
    } catch {
        return error.description
    }
}

private let pair =
    #"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"#
    + #""ids":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}   "#

@Suite struct `A safetensors file` {
    @Test func `tells where each tensor lies in the archive`() throws {
        let bytes = [0xAA, 0xAA, 0xAA] + safetensors(pair, data: Array(repeating: 1, count: 16))
        let file = try SafeTensors(3..<bytes.count, in: bytes.span.bytes, path: "m.safetensors")
        #expect(
            file.tensors["a"] == StoredTensor(range: bytes.count - 16..<bytes.count - 8, element: .f32, shape: [2, 1])
        )
        #expect(file.others == ["ids": "I64"])
    }

    @Test func `names a tensor that is missing, of another shape or of another type`() throws {
        let bytes = safetensors(pair, data: Array(repeating: 1, count: 16))
        let file = try SafeTensors(0..<bytes.count, in: bytes.span.bytes, path: "m.safetensors")
        #expect(throws: ModelError.invalid("m.safetensors lacks b, which the model's config.json asks for")) {
            try file.tensor("b", shape: [1])
        }
        #expect(
            throws: ModelError.invalid(
                "m.safetensors: a should have the shape [3] by the model's config.json, it has [2, 1]"
            )
        ) {
            try file.tensor("a", shape: [3])
        }
        #expect(
            throws: ModelError.unsupported("m.safetensors: ids has type I64; supported are F32, F16, BF16 and F64")
        ) {
            try file.tensor("ids", shape: [1])
        }
    }

    @Test(arguments: [StoredElement.f32, .f64, .f16, .bf16])
    func `gives floats from any float type`(element: StoredElement) {
        let numbers: [Float] = [1, -2.5, 0.15625, 65504]
        let bytes: [UInt8] =
            [7]
            + numbers.flatMap { number -> [UInt8] in
                switch element {
                case .f32: withUnsafeBytes(of: number.bitPattern) { Array($0) }
                case .f64: withUnsafeBytes(of: Double(number).bitPattern) { Array($0) }
                case .f16: withUnsafeBytes(of: Float16(number).bitPattern) { Array($0) }
                case .bf16: withUnsafeBytes(of: UInt16(number.bitPattern >> 16)) { Array($0) }
                }
            }
        let tensor = StoredTensor(range: 1..<bytes.count, element: element, shape: [4])
        var floats: [Float] = []
        FileBytes.append(tensor, of: bytes.span.bytes, to: &floats)
        // bfloat16 keeps 8 bits of the number: 65504 is cut to the next one below.
        #expect(floats == (element == .bf16 ? [1, -2.5, 0.15625, 65280] : numbers))
    }

    @Test(
        arguments: [
            ([], "m.safetensors is no safetensors file: it has 0 bytes"),
            (
                [9, 0, 0, 0, 0, 0, 0, 0, 0x7B],
                "m.safetensors is cut short: its header should have 9 bytes, and 1 follow"
            ),
            (
                Array(repeating: 0xFF, count: 20),
                "m.safetensors is cut short: its header should have 18446744073709551615 bytes, and 12 follow"
            ),
            (safetensors("[]", data: []), "m.safetensors: the header should be a JSON object, it is an array"),
            (
                safetensors(
                    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
                    data: [0, 0, 0, 0]
                ),
                "m.safetensors: b overlaps another tensor"
            ),
            (
                safetensors(
                    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
                    data: Array(repeating: 0, count: 8)
                ),
                "m.safetensors: a leaves a hole before it"
            ),
            (
                safetensors(
                    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
                    data: Array(repeating: 0, count: 9)
                ),
                "m.safetensors: 5 bytes at the end belong to no tensor"
            ),
            (
                safetensors(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, data: [0, 0, 0, 0]),
                "m.safetensors: a of shape [2] and type F32 should have 8 bytes, it has 4"
            ),
            (
                safetensors(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, data: []),
                "m.safetensors: a should lie between 0 and 0, it lies from -4 to 0"
            ),
            (
                safetensors(#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, data: []),
                "m.safetensors: a has an impossible shape"
            ),
            (
                safetensors(#"{"a":{"dtype":"F3","shape":[1],"data_offsets":[0,0]}}"#, data: []),
                "m.safetensors: a has the unknown type F3"
            ),
        ] as [([UInt8], String)]
    )
    func `that contradicts itself is refused`(bytes: [UInt8], message: String) {
        #expect(refusal(bytes) == message)
    }

    @Test func `of any bytes is read or refused, never a trap`() {
        let original = safetensors(pair, data: Array(repeating: 1, count: 16))
        var generator = SeededGenerator(state: 1)
        var refusals = 0
        for _ in 0..<4000 where refusal(generator.mutant(of: original)) != "not refused" {
            refusals += 1
        }
        #expect(refusals > 3000)
    }
}
