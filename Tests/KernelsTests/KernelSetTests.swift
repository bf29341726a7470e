import Foundation
import Kernels
import Testing

struct KernelSetTests {
    @Test func `the variants of this machine are named from the plainest on`() throws {
        let names = KernelSet.runnable.map(\.name)
        #if arch(arm64)
        let all = ["scalar", "neon", "neon-dot", "neon-bf16"]
        #else
        let all = ["scalar", "avx2", "avx512", "avx512-vnni", "avx512-bf16"]
        #endif
        #expect(names == Array(all.prefix(names.count)))
        #expect(KernelSet.best.name == names.last)
    }

    @Test func `the choice agrees with what Linux says of the processor`() throws {
        let flags = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        let names = KernelSet.runnable.map(\.name)
        #if arch(arm64)
        #expect(names.contains("neon"))
        #expect(names.contains("neon-dot") == flags.contains(" asimddp"))
        return
        #endif
        #expect(names.contains("avx2") == flags.contains(" avx2 "))
        #expect(names.contains("avx512") == (flags.contains(" avx512f ") && flags.contains(" avx512bw ")))
        #expect(names.contains("avx512-vnni") == flags.contains(" avx512_vnni "))
        #expect(names.contains("avx512-bf16") == flags.contains(" avx512_bf16 "))
    }

    @Test func `a view of weights refuses bytes that are not floats`() {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 64)
        defer { bytes.deallocate() }
        #expect(WeightView(unsafe: UnsafeRawBufferPointer(rebasing: bytes[0..<8]))?.count == 2)
        #expect(WeightView(unsafe: UnsafeRawBufferPointer(rebasing: bytes[0..<7])) == nil)
        #expect(WeightView(unsafe: UnsafeRawBufferPointer(rebasing: bytes[2..<10])) == nil)
        #expect(WeightView(unsafe: UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
    }

    @Test(arguments: WeightFormat.allCases)
    func `a product does not run faster than the core can`(_ format: WeightFormat) {
        let speed = ProductSpeed.measure(.best, format: format, rows: 24, inner: 64, columns: 64, rounds: 2)
        #expect(speed.gigaflops > 0 && speed.peakGigaflops > 0)
    }
}
