/// Writes tar archives, broken ones too.
struct TarWriter {
    private(set) var bytes: [UInt8] = []

    /// A regular file.
    mutating func add(_ path: String, _ text: String) {
        add(path, Array(text.utf8))
    }

    /// An entry of any kind; the type flag of a regular file is `0`.
    mutating func add(_ path: String, _ contents: [UInt8], kind: Character = "0", size: Int? = nil) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int, _ count: Int) {
            for (index, byte) in text.utf8.prefix(count).enumerated() { block[offset + index] = byte }
        }
        func octal(_ number: Int, _ width: Int) -> String {
            let digits = String(number, radix: 8)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        put(path, at: 0, 100)
        put(octal(0o644, 7), at: 100, 8)
        put(octal(size ?? contents.count, 11), at: 124, 12)
        put(octal(0, 11), at: 136, 12)
        put(String(kind), at: 156, 1)
        put("ustar", at: 257, 6)
        put("00", at: 263, 2)
        let sum = block.reduce(0) { $0 + Int($1) } + 8 * 0x20
        put(octal(sum, 6), at: 148, 6)
        block[155] = 0x20
        bytes += block + contents
        bytes += Array(repeating: 0, count: (512 - contents.count % 512) % 512)
    }

    /// A pax header for the entry that follows.
    mutating func addExtended(_ records: String) {
        add("PaxHeaders/x", Array(records.utf8), kind: "x")
    }

    /// The archive with its end mark.
    func finished() -> [UInt8] {
        bytes + Array(repeating: 0, count: 1024)
    }
}

/// A generator that gives the same numbers each time.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        // splitmix64
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
