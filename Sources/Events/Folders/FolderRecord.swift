import ControlPlane
import Foundation
import Linux

/// One file as functions are shown it: as object stores tell of an object, its path beside.
struct FolderRecord {
    let folder: String
    let name: OpenFolder.Name
    let identity: FileIdentity
    /// What is in it, where the mapping wants that and it is not too large.
    let body: [UInt8]?

    func record(shown: String, deliveryCount: Int) -> SourceRecord {
        let key = Self.key(name)
        let milliseconds = identity.modifiedNanoseconds / 1_000_000
        var members: [String: JSONValue] = [
            "eventVersion": "2.1",
            "eventSource": "thaw:file",
            "eventSourceARN": .text(shown),
            "eventName": "ObjectCreated:Put",
            "eventTime": .text(
                Date(timeIntervalSince1970: Double(milliseconds) / 1000)
                    .formatted(.iso8601.time(includingFractionalSeconds: true))
            ),
            "messageId": .text(key),
            "s3": [
                "bucket": ["name": .text(folder)],
                "object": [
                    "key": .text(key),
                    "size": .integer(identity.byteCount),
                    "sequencer": .text(String(identity.modifiedNanoseconds, radix: 16, uppercase: true)),
                ],
            ],
        ]
        if let text = String(validating: name, as: UTF8.self) { members["path"] = .text(folder + "/" + text) }
        if let body {
            let text = String(validating: body, as: UTF8.self)
            members["body"] = .text(text ?? Data(body).base64EncodedString())
            members["isBase64Encoded"] = .bool(text == nil)
        }
        let document = JSONValue.object(members)
        return SourceRecord(
            id: key,
            document: document,
            byteCount: document.bytes.count,
            acceptedUnixMilliseconds: milliseconds,
            deliveryCount: deliveryCount,
            handle: key
        )
    }

    /// A name as object stores write keys in events: what is not plain text in percent signs, so that any bytes can be told.
    static func key(_ name: OpenFolder.Name) -> String {
        var key = ""
        for byte in name {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                key.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                key += byte < 16 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return key
    }

    /// The name that is meant by a key.
    static func name(_ key: String) -> OpenFolder.Name? {
        var name: OpenFolder.Name = []
        var rest = Array(key.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
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
