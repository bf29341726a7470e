import ControlPlane
import Digests

/// A message of the HTTP binding: fields and a body, for a request or a reply.
package struct CloudEventMessage: Equatable, Sendable {
    /// Without the content type.
    package var fields: [(name: String, value: String)]
    package var contentType: String?
    package var body: [UInt8]

    package init(fields: [(name: String, value: String)] = [], contentType: String?, body: [UInt8]) {
        self.fields = fields
        self.contentType = contentType
        self.body = body
    }

    package static func == (left: CloudEventMessage, right: CloudEventMessage) -> Bool {
        left.contentType == right.contentType && left.body == right.body
            && left.fields.map { [$0.name, $0.value] } == right.fields.map { [$0.name, $0.value] }
    }

    /// How events lie in a message.
    package enum Mode: Equatable, Sendable {
        /// Attributes are fields, and the body is the data.
        case binary
        /// The body is the event, as JSON.
        case structured
        /// The body is a JSON array of events.
        case batched
    }

    /// - Throws: where the message holds no event in a form that is read here.
    package func mode() throws(CloudEventError) -> Mode {
        let type = (contentType ?? "").lowercased()
        let kind = type.prefix { $0 != ";" }.filter { $0 != " " }
        switch kind {
        case "application/cloudevents+json", "application/cloudevents": return .structured
        case "application/cloudevents-batch+json", "application/cloudevents-batch": return .batched
        case _ where type.hasPrefix("application/cloudevents"):
            throw CloudEventError(
                "events as \(kind) are not read here; send application/cloudevents+json, its batch, or binary mode",
                isUnsupported: true
            )
        default: break
        }
        guard fields.contains(where: { $0.name.lowercased() == "ce-specversion" }) else {
            throw CloudEventError(
                "this is no CloudEvent: there is no field ce-specversion, and the content type is not "
                    + "application/cloudevents+json",
                isUnsupported: true
            )
        }
        return .binary
    }

    /// The events of the message, each with its own JSON where it came so.
    package func events() throws(CloudEventError) -> [(event: CloudEvent, structured: [UInt8])] {
        switch try mode() {
        case .binary:
            let event = try CloudEvent(binary: self)
            return [(event, event.structured.body)]
        case .structured:
            return [(try CloudEvent(structured: body), body)]
        case .batched:
            guard let document = JSONValue(parsing: body), document.elements != nil else {
                throw CloudEventError("a batch should be a JSON array of events")
            }
            let parts = Self.elements(of: body)
            guard parts.count <= Self.batchMax else {
                throw CloudEventError("a batch may have \(Self.batchMax) events, this one has \(parts.count)")
            }
            var events: [(CloudEvent, [UInt8])] = []
            for (index, part) in parts.enumerated() {
                do throws(CloudEventError) {
                    events.append((try CloudEvent(structured: part), part))
                } catch {
                    throw CloudEventError("event \(index) of the batch: \(error)")
                }
            }
            return events
        }
    }

    package static let batchMax = 1000

    /// The elements of an array as they are written, of a text that is known to be JSON.
    private static func elements(of array: [UInt8]) -> [[UInt8]] {
        var elements: [[UInt8]] = []
        var (depth, start, isText, isEscaped) = (0, 0, false, false)
        func take(_ end: Int) {
            let part = array[start..<end]
            // Nothing but blanks lies between the brackets of an empty array.
            if part.contains(where: { $0 > 0x20 }) { elements.append(Array(part)) }
        }
        for (index, byte) in array.enumerated() {
            if isText {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isText = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isText = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                if depth == 1 { start = index + 1 }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 { take(index) }
            case UInt8(ascii: ",") where depth == 1:
                take(index)
                start = index + 1
            default: break
            }
        }
        return elements
    }
}

extension CloudEvent {
    /// Reads an event from one JSON object.
    package init(structured bytes: [UInt8]) throws(CloudEventError) {
        guard let document = JSONValue(parsing: bytes), let members = document.members else {
            throw CloudEventError("the event should be one JSON object")
        }
        var attributes = members.filter { $0.value != .null }
        let data = attributes.removeValue(forKey: "data")
        let encoded = attributes.removeValue(forKey: "data_base64")
        let type = attributes.removeValue(forKey: "datacontenttype")
        if let type, type.text == nil { throw CloudEventError("datacontenttype should be a text") }
        guard data == nil || encoded == nil else {
            throw CloudEventError("the event has data and data_base64; it may have one of them")
        }
        var content: Content?
        if let encoded {
            guard let text = encoded.text, let bytes = Base64.decode(text) else {
                throw CloudEventError("data_base64 should be text in Base64")
            }
            content = .bytes(bytes)
        } else if let data {
            // A text that is not said to be JSON is itself.
            if let text = data.text, !Self.isJSON(type?.text) {
                content = .text(text)
            } else {
                content = .json(data.bytes)
            }
        }
        try self.init(attributes: attributes, dataContentType: type?.text, data: content)
    }

    /// Reads an event from fields and the data that is the body.
    init(binary message: CloudEventMessage) throws(CloudEventError) {
        var attributes: [String: JSONValue] = [:]
        for (field, value) in message.fields {
            let name = field.lowercased()
            // The content type is the message's own.
            guard name.hasPrefix("ce-"), name != "ce-datacontenttype" else { continue }
            let attribute = String(name.dropFirst(3))
            guard let decoded = Self.decoded(value) else {
                throw CloudEventError(
                    "the field ce-\(attribute.prefix(40)) is not UTF-8 where its percent signs are undone"
                )
            }
            guard attributes.updateValue(.text(decoded), forKey: attribute) == nil else {
                throw CloudEventError("the field ce-\(attribute.prefix(40)) comes twice")
            }
        }
        var content: Content?
        if !message.body.isEmpty {
            let isJSON = Self.isJSON(message.contentType) && JSONValue(parsing: message.body) != nil
            if Self.isJSON(message.contentType), message.contentType != nil, !isJSON {
                throw CloudEventError("the body should be JSON, as its content type says")
            }
            if isJSON {
                content = .json(message.body)
            } else if Self.isText(message.contentType), let text = String(validating: message.body, as: UTF8.self) {
                content = .text(text)
            } else {
                content = .bytes(message.body)
            }
        }
        try self.init(attributes: attributes, dataContentType: message.contentType, data: content)
    }

    private static func isText(_ contentType: String?) -> Bool {
        let type = (contentType ?? "").prefix { $0 != ";" }.lowercased()
        return type.hasPrefix("text/") || type.hasSuffix("/xml") || type.hasSuffix("+xml")
    }

    // MARK: Out

    /// The event as one JSON object.
    package var structured: CloudEventMessage {
        var members = attributes
        members["datacontenttype"] = dataContentType.map { .text($0) }
        switch data {
        case .text(let text)?: members["data"] = .text(text)
        case .bytes(let bytes)?: members["data_base64"] = .text(Base64.encode(bytes))
        case .json?, nil: break
        }
        var body = JSONValue.object(members).bytes
        if case .json(let document)? = data {
            // As it was written: numbers keep their digits.
            body.removeLast()
            body += Array(",\"data\":".utf8) + document + [UInt8(ascii: "}")]
        }
        return CloudEventMessage(contentType: "application/cloudevents+json; charset=UTF-8", body: body)
    }

    /// The event with its attributes as fields and its data as the body.
    package var binary: CloudEventMessage {
        let fields = attributes.sorted { $0.key < $1.key }.map { name, value in
            (name: "ce-" + name, value: Self.encoded(Self.text(of: value)))
        }
        switch data {
        case .json(let body)?:
            return CloudEventMessage(fields: fields, contentType: dataContentType ?? "application/json", body: body)
        case .text(let text)?:
            return CloudEventMessage(fields: fields, contentType: dataContentType, body: Array(text.utf8))
        case .bytes(let body)?:
            return CloudEventMessage(fields: fields, contentType: dataContentType, body: body)
        case nil: return CloudEventMessage(fields: fields, contentType: dataContentType, body: [])
        }
    }

    private static func text(of value: JSONValue) -> String {
        switch value {
        case .text(let text): text
        default: value.json
        }
    }

    /// As section 3.1.3.2 of the HTTP binding has it: what is not visible ASCII, and `"` and `%`, in percent signs.
    private static func encoded(_ text: String) -> String {
        var encoded: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "%"), 0...0x20, 0x7F...:
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: encoded.append(byte)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Undoes quotes, then percent signs, once; nil for what is not UTF-8 then.
    private static func decoded(_ value: String) -> String? {
        var bytes = Array(value.utf8)
        if bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") {
            var plain: [UInt8] = []
            var isEscaped = false
            for byte in bytes.dropFirst().dropLast() {
                if !isEscaped, byte == UInt8(ascii: "\\") {
                    isEscaped = true
                    continue
                }
                isEscaped = false
                plain.append(byte)
            }
            bytes = plain
        }
        return String(validating: Hexadecimal.decodingPercents(bytes), as: UTF8.self)
    }
}
