import Manifests
import Models

/// The block of 512 bytes in front of each entry of a tar archive.
///
/// ```
/// 0 name 100 · 100 mode 8 (octal) · 124 size 12 (octal) · 148 checksum 8 · 156 kind 1 · 257 magic "ustar" · 345 prefix 155
/// ```
struct TarHeader {
    enum Kind: Equatable {
        case file, directory
        /// Fields for the next entry (pax).
        case extended
        /// Fields for all entries (pax); none that matters here.
        case global
        /// Anything else, in words.
        case refused(String)
    }

    var path: String
    var size: Int
    var kind: Kind
    /// Whether its owner may run it.
    var isExecutable: Bool

    /// nil for a block of zeros, which ends the archive.
    init?(at position: Int, of bytes: borrowing RawSpan) throws(PackRefusal) {
        guard bytes.byteCount - position >= Archive.blockByteCount else {
            throw .damaged("its end mark is missing; the upload was cut short")
        }
        let block = FileBytes.copy(position..<position + Archive.blockByteCount, of: bytes)
        if block.allSatisfy({ $0 == 0 }) { return nil }
        guard block[257..<262].elementsEqual("ustar".utf8) else {
            throw .damaged("at byte \(position) there is no header of an entry")
        }
        guard let expected = Self.octal(block[148..<156]), expected == Self.checksum(block) else {
            throw .damaged("the header at byte \(position) is damaged: its checksum is wrong")
        }
        guard let size = Self.octal(block[124..<136]) else {
            throw .damaged("the header at byte \(position) gives no size that can be read")
        }
        guard let name = Self.text(block[0..<100]), let prefix = Self.text(block[345..<500]) else {
            throw .damaged("the header at byte \(position) gives a name that is not UTF-8 text")
        }
        // GNU tar keeps other things where POSIX keeps the prefix.
        let isPOSIX = block[262] == 0
        path = isPOSIX && !prefix.isEmpty ? "\(prefix)/\(name)" : name
        self.size = size
        kind = Self.kind(block[156])
        isExecutable = (Self.octal(block[100..<108]) ?? 0) & 0o100 != 0
        if kind == .directory { self.size = 0 }
    }

    private static func kind(_ flag: UInt8) -> Kind {
        switch flag {
        case 0, UInt8(ascii: "0"): .file
        case UInt8(ascii: "5"): .directory
        case UInt8(ascii: "x"): .extended
        case UInt8(ascii: "g"): .global
        case UInt8(ascii: "1"): .refused("a hard link")
        case UInt8(ascii: "2"): .refused("a symbolic link")
        case UInt8(ascii: "3"), UInt8(ascii: "4"): .refused("a device")
        case UInt8(ascii: "6"): .refused("a named pipe")
        case UInt8(ascii: "L"), UInt8(ascii: "K"):
            .refused("a long name in GNU's own form (write the archive with tar --format=pax)")
        case UInt8(ascii: "S"): .refused("a sparse file")
        default: .refused("an entry of unknown kind")
        }
    }

    /// Octal digits up to a blank or zero; nil for anything else, as for sizes of more than 63 bits.
    static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        var number = 0
        var rest = field.drop { $0 == 0x20 }
        guard let first = rest.first, first >= 0x30, first <= 0x37 else { return nil }
        while let digit = rest.first, digit >= 0x30, digit <= 0x37 {
            // Twelve digits have 36 bits.
            number = number << 3 | Int(digit - 0x30)
            rest = rest.dropFirst()
        }
        return rest.allSatisfy { $0 == 0 || $0 == 0x20 } ? number : nil
    }

    /// The sum of all bytes, those of the checksum itself counted as blanks.
    static func checksum(_ block: [UInt8]) -> Int {
        var sum = 8 * 0x20
        for (index, byte) in block.enumerated() where !(148..<156).contains(index) {
            sum += Int(byte)
        }
        return sum
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String? {
        String(validating: field.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// A pax header: `length key=value\n`, again and again.
///
/// Path and size matter; the rest is times and owners.
struct ExtendedHeader {
    var path: String?
    var size: Int?

    init() {}

    init(_ contents: Range<Int>, of bytes: borrowing RawSpan) throws(PackRefusal) {
        guard contents.count <= PackLimits.extendedHeaderBytesMax else {
            throw .damaged("an extended header has \(contents.count) bytes")
        }
        var rest = FileBytes.copy(contents, of: bytes)[...]
        while !rest.isEmpty {
            guard
                let blank = rest.firstIndex(of: 0x20),
                let length = Self.number(rest[..<blank]),
                length > blank - rest.startIndex + 1, length <= rest.count,
                rest[rest.startIndex + length - 1] == 0x0A
            else {
                throw .damaged("an extended header is damaged")
            }
            let record = rest[(blank + 1)..<(rest.startIndex + length - 1)]
            rest = rest.dropFirst(length)
            guard
                let equals = record.firstIndex(of: 0x3D),
                let key = String(validating: record[..<equals], as: UTF8.self)
            else {
                throw .damaged("an extended header is damaged")
            }
            try set(key, record[(equals + 1)...])
        }
    }

    private mutating func set(_ key: String, _ value: ArraySlice<UInt8>) throws(PackRefusal) {
        switch key {
        case "path":
            guard let path = String(validating: value, as: UTF8.self) else {
                throw .damaged("an extended header gives a path that is not UTF-8 text")
            }
            self.path = path
        case "size":
            guard let size = Self.number(value) else {
                throw .damaged("an extended header gives no size that can be read")
            }
            self.size = size
        case _ where key.hasPrefix("GNU.sparse"):
            throw .damaged("it holds a sparse file; write the archive without --sparse")
        default:
            return
        }
    }

    /// Decimal digits, at most 15 of them.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...15).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
