import NIOCore

/// Whether bytes are one JSON document, without making anything of it: a payload is the function's to read.
struct JSONCheck {
    private let bytes: ByteBufferView
    private var place: Int

    /// Documents in documents.
    private static let depthMax = 512

    private init(_ bytes: ByteBufferView) {
        self.bytes = bytes
        place = bytes.startIndex
    }

    static func passes(_ buffer: ByteBuffer) -> Bool {
        var check = JSONCheck(buffer.readableBytesView)
        check.skipSpace()
        guard check.value(depth: 0) else { return false }
        check.skipSpace()
        return check.place == check.bytes.endIndex
    }

    private var next: UInt8? { place < bytes.endIndex ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { place += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        place += 1
        return true
    }

    private mutating func value(depth: Int) -> Bool {
        guard depth < Self.depthMax, let byte = next else { return false }
        switch byte {
        case UInt8(ascii: "{"): return list(depth, end: UInt8(ascii: "}"), isObject: true)
        case UInt8(ascii: "["): return list(depth, end: UInt8(ascii: "]"), isObject: false)
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        default: return number()
        }
    }

    private mutating func list(_ depth: Int, end: UInt8, isObject: Bool) -> Bool {
        place += 1
        skipSpace()
        if take(end) { return true }
        while true {
            if isObject {
                guard next == UInt8(ascii: "\""), string() else { return false }
                skipSpace()
                guard take(UInt8(ascii: ":")) else { return false }
                skipSpace()
            }
            guard value(depth: depth + 1) else { return false }
            skipSpace()
            if take(end) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
            skipSpace()
        }
    }

    private mutating func string() -> Bool {
        place += 1
        while let byte = next {
            place += 1
            if byte == UInt8(ascii: "\"") { return true }
            guard byte >= 0x20 else { return false }
            guard byte == UInt8(ascii: "\\") else { continue }
            guard let escaped = next else { return false }
            place += 1
            switch escaped {
            case UInt8(ascii: "u"):
                for _ in 0..<4 {
                    guard let digit = next, Self.isHexadecimal(digit) else { return false }
                    place += 1
                }
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                break
            default: return false
            }
        }
        return false
    }

    private mutating func word(_ word: StaticString) -> Bool {
        for index in 0..<word.utf8CodeUnitCount {
            guard take(unsafe word.utf8Start[index]) else { return false }
        }
        return true
    }

    private mutating func number() -> Bool {
        _ = take(UInt8(ascii: "-"))
        if take(UInt8(ascii: "0")) {
            // No digit may follow it.
        } else if digits() == 0 {
            return false
        }
        if take(UInt8(ascii: ".")), digits() == 0 { return false }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            if digits() == 0 { return false }
        }
        return true
    }

    private mutating func digits() -> Int {
        let start = place
        while let byte = next, (0x30...0x39).contains(byte) { place += 1 }
        return place - start
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte & 0xDF)
    }
}
