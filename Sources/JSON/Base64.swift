extension [UInt8] {
    private static let base64Alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )

    /// Appends `data` in base64 with its padding: four characters for each three bytes.
    mutating func appendBase64(of data: Span<UInt8>) {
        let alphabet = Self.base64Alphabet
        reserveCapacity(count + (data.count + 2) / 3 * 4)
        var offset = 0
        while offset < data.count {
            let taken = Swift.min(3, data.count - offset)
            var group: UInt32 = 0
            for place in 0..<3 {
                group = group << 8 | (place < taken ? UInt32(data[offset + place]) : 0)
            }
            for place in 0..<4 {
                let isPadding = place > taken
                append(isPadding ? UInt8(ascii: "=") : alphabet[Int(group >> UInt32(18 - 6 * place) & 63)])
            }
            offset += taken
        }
    }
}
