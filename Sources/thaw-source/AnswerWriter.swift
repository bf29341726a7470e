import JSON

/// One answer to the scheduler: a line of JSON.
struct AnswerWriter {
    private var json = JSONWriter()

    init(_ number: Int64) {
        json.beginObject()
        json.key("n")
        json.integer(number)
    }

    mutating func opened(_ kind: BrokerKind) throws(BrokerError) {
        json.key("opened")
        json.beginObject()
        json.key("name")
        json.string(kind.name)
        json.key("isStream")
        json.bool(kind.isStream)
        json.key("payloadKey")
        json.string(kind.payloadKey)
        json.key("isPayloadBase64")
        json.bool(kind.isPayloadBase64)
        json.key("isGrouped")
        json.bool(kind.isGrouped)
        json.key("frame")
        try value(.object(kind.frame))
        json.endObject()
    }

    mutating func records(_ records: [BrokerRecord]) throws(BrokerError) {
        json.key("records")
        json.beginArray()
        for record in records {
            json.beginObject()
            json.key("id")
            json.string(record.id)
            json.key("handle")
            json.string(record.handle)
            json.key("deliveries")
            json.integer(record.deliveryCount)
            json.key("at")
            json.integer(record.unixMilliseconds)
            if let group = record.group {
                json.key("group")
                json.string(group)
            }
            json.key("document")
            try value(record.document)
            json.endObject()
        }
        json.endArray()
    }

    mutating func done() {
        json.key("done")
        json.bool(true)
    }

    mutating func lag(_ lag: Int?) {
        json.key("lag")
        if let lag { json.integer(lag) } else { json.null() }
    }

    mutating func failed(_ error: BrokerError) {
        json.key("error")
        json.string(error.description)
        json.key("isFinal")
        json.bool(error.isFinal)
    }

    consuming func line() -> [UInt8] {
        json.endObject()
        return json.bytes + [UInt8(ascii: "\n")]
    }

    private mutating func value(_ value: JSON) throws(BrokerError) {
        do throws(JSONError) {
            try json.value(value)
        } catch {
            throw BrokerError("a record that JSON cannot hold: \(error)")
        }
    }
}

extension JSON {
    /// What was sent, as functions are shown it: text where it is UTF-8, and base64 where it is not, which is said beside.
    static func body(_ bytes: [UInt8], key: String = "body") -> [Member] {
        if let text = String(validating: bytes, as: UTF8.self) {
            return [Member(key, .string(text)), Member("isBase64Encoded", .bool(false))]
        }
        return [Member(key, .string(base64(bytes))), Member("isBase64Encoded", .bool(true))]
    }

    static func base64(_ bytes: [UInt8]) -> String {
        var writer = JSONWriter()
        writer.base64(of: bytes.span)
        return String(decoding: writer.bytes.dropFirst().dropLast(), as: UTF8.self)
    }
}
