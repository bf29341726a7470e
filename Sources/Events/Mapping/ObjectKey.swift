/// Names of files and objects as events tell them: what is not plain text in percent signs, so that any bytes can be told.
enum ObjectKey {
    /// - Parameter kept: a byte that stays as it is though it is no letter, digit or one of `-._~`.
    static func encode(_ name: some Sequence<UInt8>, keeping kept: Character? = nil) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var key: [UInt8] = []
        for byte in name {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: key.append(byte)
            case kept?.asciiValue: key.append(byte)
            default: key += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: key, as: UTF8.self)
    }

    /// The name that is meant; nil where a percent sign has no two digits.
    static func decode(_ key: String) -> [UInt8]? {
        var name: [UInt8] = []
        var rest = Array(key.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                name.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            name.append(value)
            rest = rest.dropFirst(2)
        }
        return name
    }
}
