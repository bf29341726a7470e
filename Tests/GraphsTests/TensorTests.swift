import Testing

@testable import Graphs

@Suite("Tensors")
struct TensorTests {
    @Test("A tensor gives back the numbers it was made of, in any shape of as many")
    func reshapes() {
        let tensor = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        #expect(tensor.reshaped([3, 2]).array(of: Float.self) == [1, 2, 3, 4, 5, 6])
        #expect(tensor.reshaped([3, 2]).shape == [3, 2])
        #expect(Tensor(scalar: Int64(7)).array(of: Int64.self) == [7])
    }

    @Test("Bfloat16 rounds to nearest, ties to even, and keeps NaN and infinity")
    func bfloat16() {
        #expect(BFloat16(1.0).bitPattern == 0x3f80)
        #expect(BFloat16(Float(bitPattern: 0x3f80_8000)).bitPattern == 0x3f80)
        #expect(BFloat16(Float(bitPattern: 0x3f81_8000)).bitPattern == 0x3f82)
        #expect(BFloat16(.nan).float.isNaN)
        #expect(BFloat16(Float(bitPattern: 0x7f80_0001)).float.isNaN)
        #expect(BFloat16(-.infinity).float == -.infinity)
    }

    @Test("A pool hands out what came back, once nobody holds it")
    func recycles() throws {
        let pool = MemoryPool()
        let first = pool.take(byteCount: 5000)
        let address = ObjectIdentifier(first)
        pool.giveBack(first)
        // Held here still: it must not be handed out.
        #expect(ObjectIdentifier(pool.take(byteCount: 5000)) != address)
        withExtendedLifetime(first) {}
    }

    @Test(
        "An impossible shape is refused before any memory is asked for",
        arguments: [[-1], [1 << 40], [1 << 20, 1 << 20]]
    )
    func bounds(_ shape: [Int]) {
        let call = OperatorCall(inputs: [], version: 17, pool: MemoryPool())
        #expect(throws: GraphError.self) { try call.make(Float.self, shape) { _ in } }
    }
}
