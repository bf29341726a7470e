package import ControlPlane

/// An event as the CloudEvents specification 1.0 describes it: attributes, and data or none.
package struct CloudEvent: Equatable, Sendable {
    /// All attributes but the data's content type, `specversion` included; names of a-z and 0-9.
    ///
    /// Texts, whole numbers and truth values; protocols that have only texts make texts of them.
    package private(set) var attributes: [String: JSONValue]
    /// nil where the event does not say; then data is JSON.
    package private(set) var dataContentType: String?
    package private(set) var data: Content?

    package enum Content: Equatable, Sendable {
        /// One JSON document, as it was written.
        case json([UInt8])
        case text(String)
        case bytes([UInt8])
    }

    static let specversion = "1.0"

    package var id: String { attributes["id"]?.text ?? "" }
    package var source: String { attributes["source"]?.text ?? "" }
    package var type: String { attributes["type"]?.text ?? "" }

    /// - Throws: where it is no event of the specification, by a sentence that names the attribute.
    package init(
        attributes: [String: JSONValue],
        dataContentType: String? = nil,
        data: Content? = nil
    ) throws(CloudEventError) {
        guard attributes.count <= Self.attributesMax else {
            throw CloudEventError(
                "the event has \(attributes.count) attributes; at most \(Self.attributesMax) are taken"
            )
        }
        for name in ["specversion", "id", "source", "type"] {
            guard let value = attributes[name] else { throw CloudEventError("the attribute \(name) is missing") }
            guard let text = value.text, !text.isEmpty else {
                throw CloudEventError("the attribute \(name) should be a text that is not empty")
            }
        }
        guard let version = attributes["specversion"]?.text, version == Self.specversion else {
            let version = attributes["specversion"]?.text ?? ""
            throw CloudEventError("specversion \"\(version.prefix(20))\" is not read here; send 1.0")
        }
        for (name, value) in attributes { try Self.check(name, value) }
        if let dataContentType {
            guard Self.isMediaType(dataContentType) else {
                throw CloudEventError("datacontenttype \"\(dataContentType.prefix(80))\" is no media type")
            }
        }
        self.attributes = attributes
        self.dataContentType = dataContentType
        self.data = data
    }

    /// Far more than any producer has.
    private static let attributesMax = 128

    private static func check(_ name: String, _ value: JSONValue) throws(CloudEventError) {
        let isName = !name.isEmpty && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
        guard isName, name != "data", name != "datacontenttype" else {
            throw CloudEventError("\"\(name.prefix(40))\" cannot name an attribute: names are of a to z and 0 to 9")
        }
        switch value {
        case .text(let text):
            guard !text.unicodeScalars.contains(where: isRefused) else {
                throw CloudEventError("the attribute \(name) has a control character")
            }
        case .bool: break
        case .integer(let number):
            guard Int32(exactly: number) != nil else {
                throw CloudEventError("the attribute \(name) should be a number of 32 bits")
            }
        default: throw CloudEventError("the attribute \(name) should be a text, a whole number or a truth value")
        }
        switch name {
        case "time":
            guard let text = value.text, isTimestamp(text) else {
                throw CloudEventError("the attribute time should be one such as 2018-04-05T17:31:00Z (RFC 3339)")
            }
        case "subject", "dataschema":
            guard let text = value.text, !text.isEmpty else {
                throw CloudEventError("the attribute \(name) should be a text that is not empty")
            }
        default: break
        }
    }

    private static func isRefused(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F: true
        // Noncharacters; lone surrogates do not come this far.
        case 0xFDD0...0xFDEF: true
        default: scalar.value & 0xFFFE == 0xFFFE
        }
    }

    /// `2018-04-05T17:31:00Z`, with parts of a second or without, and an offset in place of Z.
    private static func isTimestamp(_ text: String) -> Bool {
        guard let found = text.wholeMatch(of: timestamp), let month = Int(found.1), let day = Int(found.2),
            let hour = Int(found.3), let minute = Int(found.4), let second = Int(found.5)
        else { return false }
        return (1...12).contains(month) && (1...31).contains(day) && hour < 24 && minute < 60 && second <= 60
    }

    private static var timestamp: Regex<(Substring, Substring, Substring, Substring, Substring, Substring)> {
        /[0-9]{4}-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,12})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})/
    }

    private static func isMediaType(_ text: String) -> Bool {
        let type = text.prefix { $0 != ";" }.split(separator: "/", omittingEmptySubsequences: false)
        return type.count == 2 && text.utf8.count <= 255
            && type.allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } || part.last == " "
            }
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }

    /// Whether data of a content type is JSON: of none it is.
    static func isJSON(_ contentType: String?) -> Bool {
        guard let contentType else { return true }
        let type = contentType.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return type.hasSuffix("/json") || type.hasSuffix("+json")
    }
}

/// Why something is no CloudEvent: a sentence for who sent it.
package struct CloudEventError: Error, Equatable, CustomStringConvertible {
    package let description: String
    /// The event may be right, but not in a form that is read here.
    package var isUnsupported = false

    init(_ description: String, isUnsupported: Bool = false) {
        self.description = description
        self.isUnsupported = isUnsupported
    }
}
