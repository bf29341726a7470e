import ControlPlane
import Digests
import FoundationEssentials

/// MD5 as the queue API compares what arrived with: of bodies, and of attributes in their canonical form.
enum MessageDigest {
    static func of(_ body: [UInt8]) -> String? {
        guard let md5 = try? NamedDigest.md5(), let digest = try? unsafe md5.digest(of: body.span.bytes) else {
            return nil
        }
        return Hexadecimal.text(digest)
    }

    /// ```
    /// for each, by name: length name · length type · 1 (text) or 2 (bytes) · length value; lengths of 4 bytes, big end first
    /// ```
    ///
    /// - Returns: nil where there are none.
    static func of(attributes: JSONValue?) -> String? {
        guard let members = attributes?.members, !members.isEmpty else { return nil }
        var bytes: [UInt8] = []
        func add(_ part: some Collection<UInt8>) {
            let count = UInt32(part.count)
            bytes += [UInt8(count >> 24), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255)]
            bytes += part
        }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            add(name.utf8)
            add((value["DataType"]?.text ?? "").utf8)
            if let text = value["StringValue"]?.text {
                bytes.append(1)
                add(text.utf8)
            } else {
                bytes.append(2)
                add(value["BinaryValue"]?.text.flatMap { Data(base64Encoded: $0) } ?? Data())
            }
        }
        return of(bytes)
    }
}
