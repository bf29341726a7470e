import ControlPlane
import Digests

/// What a signature of version 4 covers: a request as it came over the wire.
struct SignedRequest: Sendable {
    var method: String
    /// As it was sent, with its percent signs.
    var path: String
    var query: String
    /// In the order in which they were sent; names in any case.
    var headers: [(name: String, value: String)]
    /// SHA-256 of the body in hexadecimal; nil where it was not read, as for uploads that say their own digest.
    var bodyDigest: String?

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }

    /// The pairs of the query, percent signs undone; `+` is no space here.
    var queryPairs: [(name: String, value: String)] {
        query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                PercentCoding.decode(parts[0]), parts.count == 2 ? PercentCoding.decode(parts[1]) : ""
            )
        }
    }

    /// The text whose digest is signed.
    ///
    /// - Parameters:
    ///   - names: the headers that the signature covers, in its order.
    ///   - isEncodedOnce: as S3 has it; every other service encodes the path's percent signs again.
    func canonical(_ names: [String], payload: String, isEncodedOnce: Bool) -> String {
        let path = isEncodedOnce ? self.path : PercentCoding.encode(self.path, keeping: "/")
        // A signature in the query cannot cover itself; beside one in the header it is a pair like any other.
        let isPresigned = header("authorization") == nil
        let pairs = queryPairs.filter { !isPresigned || $0.name != "X-Amz-Signature" }
            .map { (PercentCoding.encode($0.name), PercentCoding.encode($0.value)) }
            .sorted {
                $0.0 == $1.0
                    ? Array($0.1.utf8).lexicographicallyPrecedes(Array($1.1.utf8))
                    : Array($0.0.utf8).lexicographicallyPrecedes(Array($1.0.utf8))
            }
            .map { "\($0.0)=\($0.1)" }
            .joined(separator: "&")
        let fields = names.map { name in
            let values = headers.filter { $0.name.lowercased() == name }.map { Self.collapsed($0.value) }
            return "\(name):\(values.joined(separator: ","))\n"
        }
        return
            "\(method)\n\(path.isEmpty ? "/" : path)\n\(pairs)\n\(fields.joined())\n\(names.joined(separator: ";"))\n\(payload)"
    }

    /// Spaces around a value go, and several inside it are one.
    private static func collapsed(_ value: String) -> String {
        value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }
}

/// RFC 3986 as the signature has it: everything but letters, digits and `-_.~` is written with a percent sign.
enum PercentCoding {
    static func encode(_ text: String, keeping kept: Character? = nil) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: encoded.append(byte)
            case kept?.asciiValue: encoded.append(byte)
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// A percent sign without two digits stays what it is.
    static func decode(_ text: some StringProtocol) -> String {
        String(decoding: Hexadecimal.decodingPercents(Array(text.utf8)), as: UTF8.self)
    }
}
