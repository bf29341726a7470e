import Testing

@testable import Snapshots

@Suite struct PlanesTests {
    /// What this machine can run.
    static let variants = Planes.Variant.allCases.filter { $0 <= Planes.best.variant }

    @Test(arguments: variants, [2, 4, 8])
    func `each variant puts together what the split took apart`(variant: Planes.Variant, width: Int) throws {
        var generator = SeededGenerator(seed: 7)
        for count in Array(0...200) + [1023, 65_536, 65_537] {
            let elements = generator.bytes(count: count * width)
            var planes = [UInt8](repeating: 0, count: elements.count)
            split(elements, width: width, into: &planes)
            for plane in 0..<width where count > 0 {
                for index in [0, count - 1] {
                    // Rotated left by a bit: the top bit of the byte before, or of the last, comes in below.
                    let element = Array(elements[index * width..<(index + 1) * width])
                    let below = element[(plane + width - 1) % width] >> 7
                    #expect(planes[plane * count + index] == element[plane] << 1 | below)
                }
            }
            // Every second plane comes from the other place, at an odd address.
            let sources = (0..<width).map { PlaneSource(isDecoded: $0 % 2 == 1, offset: $0 * count + 1) }
            let shifted = [0] + planes
            var merged = [UInt8](repeating: 0xaa, count: elements.count)
            merge(Planes(variant: variant), sources, shifted, into: &merged)
            try #require(merged == elements, "\(count) elements of \(width) bytes")
        }
    }

    @Test func `one plane is the bytes themselves`() {
        let bytes = Array(UInt8.min...255)
        var planes = [UInt8](repeating: 0, count: bytes.count)
        split(bytes, width: 1, into: &planes)
        #expect(planes == bytes)
        var merged = planes
        merge(.best, [PlaneSource(isDecoded: true, offset: 0)], planes, into: &merged)
        #expect(merged == bytes)
    }

    @Test(arguments: variants) func `each variant knows the standard's checksum`(variant: Planes.Variant) {
        // The check value of CRC-32C in the catalogue of parametrised algorithms, and RFC 3720's zeros.
        #expect(Planes(variant: variant).checksum(of: Array("123456789".utf8).span.bytes) == 0xe306_9283)
        #expect(Planes(variant: variant).checksum(of: [UInt8](repeating: 0, count: 32).span.bytes) == 0x8a91_36aa)
        #expect(Planes(variant: variant).checksum(of: [UInt8]().span.bytes) == 0)
    }

    @Test func `all variants agree on checksums of any length`() {
        var generator = SeededGenerator(seed: 9)
        let bytes = generator.bytes(count: 70_000)
        for count in Array(0...70) + Array(4090...4125) + [8191, 65_535, 70_000] {
            let piece = Array(bytes[..<count])
            let sums = Set(Self.variants.map { Planes(variant: $0).checksum(of: piece.span.bytes) })
            #expect(sums.count == 1, "\(count) bytes")
        }
    }

    private func split(_ elements: [UInt8], width: Int, into planes: inout [UInt8]) {
        var span = planes.mutableSpan
        var bytes = span.mutableBytes
        Planes.best.split(elements.span.bytes, width: width, into: &bytes)
    }

    private func merge(_ planes: Planes, _ sources: [PlaneSource], _ bytes: [UInt8], into elements: inout [UInt8]) {
        var span = elements.mutableSpan
        var target = span.mutableBytes
        planes.merge(sources, stored: bytes.span.bytes, decoded: bytes.span.bytes, into: &target)
    }
}
