import Foundation
import Kernels
import Testing

struct KernelSetTests {
    @Test func `the variants of this machine are named from the plainest on`() throws {
        let names = KernelSet.runnable.map(\.name)
        #expect(names == Array(["scalar", "avx2", "avx512"].prefix(names.count)))
        #expect(KernelSet.best.name == names.last)
    }

    @Test func `the choice agrees with what Linux says of the processor`() throws {
        let flags = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        let names = KernelSet.runnable.map(\.name)
        #expect(names.contains("avx2") == flags.contains(" avx2 "))
        #expect(names.contains("avx512") == flags.contains(" avx512f "))
    }

    @Test func `a view of weights refuses bytes that are not floats`() {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 64)
        defer { bytes.deallocate() }
        #expect(WeightView(unsafe: UnsafeRawBufferPointer(rebasing: bytes[0..<8]))?.count == 2)
        #expect(WeightView(unsafe: UnsafeRawBufferPointer(rebasing: bytes[0..<7])) == nil)
        #expect(WeightView(unsafe: UnsafeRawBufferPointer(rebasing: bytes[2..<10])) == nil)
        #expect(WeightView(unsafe: UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
    }

    @Test func `a product does not run faster than the core can`() {
        let speed = ProductSpeed.measure(.best, rows: 24, inner: 64, columns: 64, rounds: 2)
        #expect(speed.gigaflops > 0 && speed.peakGigaflops > 0)
    }
}
