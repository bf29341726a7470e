import Linux
import Testing

struct MappingTests {
    @Test(arguments: [1, 4096, 2 << 20, (2 << 20) + 1])
    func `anonymous memory is zero, writable and as long as asked for`(byteCount: Int) throws {
        for hugePages in [false, true] {
            var mapping = try Mapping.anonymous(byteCount: byteCount, hugePages: hugePages)
            #expect(mapping.byteCount == byteCount)
            mapping.withBytes { bytes in
                #expect(bytes.byteCount == byteCount)
                #expect(bytes.unsafeLoad(fromByteOffset: byteCount - 1, as: UInt8.self) == 0)
            }
            mapping.withMutableBytes { $0.storeBytes(of: 9, toByteOffset: byteCount - 1, as: UInt8.self) }
            mapping.withBytes { #expect($0.unsafeLoad(fromByteOffset: byteCount - 1, as: UInt8.self) == 9) }
        }
    }

    @Test func `memory in huge pages starts at one`() throws {
        let mapping = try Mapping.anonymous(byteCount: 5 << 20, hugePages: true)
        #expect(Int(bitPattern: mapping.baseAddress) % Mapping.hugePageByteCount == 0)
    }

    @Test func `what is protected to its end leaves no border inside the last huge page`() throws {
        let mapping = try Mapping.anonymous(byteCount: (2 << 20) + 4096, hugePages: true)
        try mapping.protectReadOnly(4096..<mapping.byteCount)
        let base = UInt(bitPattern: mapping.baseAddress)
        let bytes = try FileDescriptor.open("/proc/self/maps").readAll(countMax: 1 << 20)
        let maps = String(decoding: bytes, as: UTF8.self)
        let last = maps.split(separator: "\n").first { line in
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            return ends.count == 2 && ends[0] <= base + 4096 && base + 4096 < ends[1]
        }
        let area = try #require(last)
        #expect(area.contains(" r--p "), "\(area)")
        let end = try #require(area.prefix { $0 != " " }.split(separator: "-").last.flatMap { UInt($0, radix: 16) })
        #expect(end >= base + (4 << 20), "\(area)")
    }

    @Test(arguments: [0, -1, .max, 1 << 60])
    func `an impossible size is an error`(byteCount: Int) {
        #expect(throws: SystemError.self) { _ = try Mapping.anonymous(byteCount: byteCount).byteCount }
    }

    @Test func `a shared mapping writes the file`() throws {
        let file = try FileDescriptor.memoryFile("test")
        try file.truncate(to: 8192)
        var mapping = try Mapping.file(file, byteCount: 8192, writable: true, shared: true)
        mapping.withMutableBytes { $0.storeBytes(of: 0x2a, toByteOffset: 5000, as: UInt8.self) }
        try mapping.sync(5000..<5001)
        #expect(try file.pread(count: 1, at: 5000) == [0x2a])
    }

    @Test func `a private mapping leaves the file alone`() throws {
        let file = try FileDescriptor.memoryFile("test")
        try file.truncate(to: 4096)
        var mapping = try Mapping.file(file, byteCount: 4096, writable: true)
        mapping.withMutableBytes { $0.storeBytes(of: 1, toByteOffset: 0, as: UInt8.self) }
        #expect(try file.pread(count: 1, at: 0) == [0])
    }

    @Test func `a write to protected memory ends the process`() async {
        await #expect(processExitsWith: .signal(Signals.segmentation)) {
            var mapping = try Mapping.anonymous(byteCount: 4096)
            let address = mapping.baseAddress
            try mapping.protectReadOnly()
            address.storeBytes(of: 1, as: UInt8.self)
        }
    }
}
