import Kernels
import Testing

struct PanelsTests {
    private static func words(_ bytes: [UInt8]) -> [UInt32] {
        stride(from: 0, to: bytes.count, by: 4).map { place in
            (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << (UInt32($1) * 8) }
        }
    }

    @Test func `columns are laid out in panels of sixteen and filled up with zeros`() {
        // weight[k, column] = 100 · k + column, 2 × 18
        let weight = (0..<2).flatMap { k in (0..<18).map { Float(100 * k + $0) } }
        let panels = Panels.pack(weight, inner: 2, columns: 18, isColumnMajor: false)
        #expect(panels.count == 64 && panels.count == Panels.floatCount(inner: 2, columns: 18))
        #expect(Array(panels[0..<16]) == (0..<16).map(Float.init))
        #expect(Array(panels[16..<32]) == (0..<16).map { Float(100 + $0) })
        #expect(Array(panels[32..<34]) == [16, 17] && panels[34..<48].allSatisfy { $0 == 0 })
        #expect(Array(panels[48..<50]) == [116, 117] && panels[50..<64].allSatisfy { $0 == 0 })
    }

    @Test func `a torch weight packs to the same panels as its transpose`() {
        let (inner, columns) = (5, 37)
        let rowMajor = (0..<inner * columns).map(Float.init)
        let columnMajor = (0..<columns).flatMap { column in (0..<inner).map { rowMajor[$0 * columns + column] } }
        #expect(
            Panels.pack(rowMajor, inner: inner, columns: columns, isColumnMajor: false)
                == Panels.pack(columnMajor, inner: inner, columns: columns, isColumnMajor: true)
        )
    }

    @Test func `bfloat16 lies in pairs, integers in fours with their scales and sums behind`() throws {
        // weight[k, column] = k + 1, but column 1 is −2 · (k + 1); 5 × 2.
        let weight = (0..<5).flatMap { [Float($0 + 1), Float(-2 * ($0 + 1))] }
        let pairs = Panels.pack(weight, inner: 5, columns: 2, isColumnMajor: false, format: .bf16)
        #expect(pairs.count == 3 * 64)
        // 1, 2 and −2, −4 in step 0; 5, 0 and −10, 0 in step 2.
        #expect(pairs[0..<8] == [0x80, 0x3f, 0x00, 0x40, 0x00, 0xc0, 0x80, 0xc0])
        #expect(pairs[128..<136] == [0xa0, 0x40, 0, 0, 0x20, 0xc1, 0, 0])
        let fours = Panels.pack(weight, inner: 5, columns: 2, isColumnMajor: false, format: .int8)
        #expect(fours.count == 2 * 64 + 128)
        // 127 · k / 5, rounded: 25, 51, 76, 102, 127.
        #expect(fours[0..<8].map { Int8(bitPattern: $0) } == [25, 51, 76, 102, -25, -51, -76, -102])
        #expect(fours[64..<72].map { Int8(bitPattern: $0) } == [127, 0, 0, 0, -127, 0, 0, 0])
        let tail = Self.words(Array(fours[128...]))
        #expect(Float(bitPattern: tail[0]) == 5 / 127 && Float(bitPattern: tail[1]) == 10 / 127)
        #expect(Int32(bitPattern: tail[16]) == 381 && Int32(bitPattern: tail[17]) == -381)
        #expect(tail[2..<16].allSatisfy { $0 == 0 } && tail[18...].allSatisfy { $0 == 0 })
    }

    @Test func `floats packed as bytes are those packed as floats`() {
        let weight = (0..<5 * 37).map { Float($0) / 3 }
        let floats = Panels.pack(weight, inner: 5, columns: 37, isColumnMajor: true)
        let bytes = Panels.pack(weight, inner: 5, columns: 37, isColumnMajor: true, format: .f32)
        #expect(Self.words(bytes) == floats.map(\.bitPattern))
    }

    @Test func `a number half way between two of bfloat16 goes to the even one`() {
        let halfways: [UInt32] = [0x3f80_8000, 0x3f81_8000, 0x3f80_8001, 0x7f7f_ffff, 0x7f80_0001]
        let weight = halfways.map(Float.init(bitPattern:))
        let bytes = Panels.pack(weight, inner: 5, columns: 1, isColumnMajor: false, format: .bf16)
        let rounded: [UInt16] = [0, 2, 64, 66, 128].map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
        // The largest float becomes infinite, what is no number stays so.
        #expect(rounded == [0x3f80, 0x3f82, 0x3f81, 0x7f80, 0x7fc0])
    }
}
