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
        let key = ObjectKey.encode(name)
        let milliseconds = identity.modifiedNanoseconds / 1_000_000
        var members: [String: JSONValue] = [
            "eventVersion": "2.1",
            "eventSource": "thaw:file",
            "eventSourceARN": .text(shown),
            "eventName": "ObjectCreated:Put",
            "eventTime": .text(
                Date(timeIntervalSince1970: Double(milliseconds) / 1000)
                    .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
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
}
