import CJansson

extension JSON {
    /// Reads one JSON document: RFC 8259, valid UTF-8, no duplicate keys, integers within 64 bits.
    package static func parse(_ bytes: [UInt8], bounds: JSONBounds = JSONBounds()) throws(JSONError) -> JSON {
        try parse(bytes.span, bounds: bounds)
    }

    /// Reads one JSON document: RFC 8259, valid UTF-8, no duplicate keys, integers within 64 bits.
    package static func parse(_ bytes: Span<UInt8>, bounds: JSONBounds = JSONBounds()) throws(JSONError) -> JSON {
        guard !bytes.isEmpty else {
            throw .malformed(message: "nothing here, expected a value", line: 1, column: 1, byteOffset: 0)
        }
        // Jansson counts positions in C's int.
        guard bytes.count <= Int(Int32.max) else {
            throw .malformed(message: "longer than 2 GiB", line: 1, column: 1, byteOffset: 0)
        }
        try bounds.check(bytes)
        return try JanssonDocument(bytes).value()
    }
}

/// A parsed document in Jansson's memory; the only place that touches it.
@safe private struct JanssonDocument: ~Copyable {
    private let root: UnsafeMutablePointer<json_t>

    /// Chosen here once, because Jansson would read /dev/urandom, and a sandboxed worker that opens a file is ended.
    ///
    /// It is secret, so that nobody can choose keys that collide in Jansson's hash tables.
    private static let seed: Void = json_object_seed(Int(UInt32.random(in: 1...UInt32.max)))

    init(_ bytes: Span<UInt8>) throws(JSONError) {
        Self.seed
        var failure = json_error_t()
        let flags = Int(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)
        let root = unsafe bytes.withUnsafeBytes { buffer in
            unsafe json_loadb(buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count, flags, &failure)
        }
        guard let root = unsafe root else {
            let message = unsafe withUnsafeBytes(of: failure.text) { text in
                unsafe String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
            }
            throw .malformed(
                message: message,
                line: max(1, Int(failure.line)),
                column: max(1, Int(failure.column)),
                byteOffset: max(0, Int(failure.position))
            )
        }
        unsafe self.root = root
    }

    deinit {
        unsafe json_decref(root)
    }

    func value() -> JSON {
        unsafe Self.value(of: root)
    }

    /// Recurses as deep as ``JSONBounds/depthMax`` let the text nest.
    private static func value(of node: UnsafeMutablePointer<json_t>) -> JSON {
        switch unsafe node.pointee.type {
        case JSON_OBJECT:
            return unsafe .object(members(of: node))
        case JSON_ARRAY:
            let count = unsafe json_array_size(node)
            var values: [JSON] = []
            values.reserveCapacity(count)
            for index in 0..<count {
                guard let element = unsafe json_array_get(node, index) else { break }
                unsafe values.append(value(of: element))
            }
            return .array(values)
        case JSON_STRING:
            return unsafe .string(text(json_string_value(node), count: json_string_length(node)))
        case JSON_INTEGER:
            return unsafe .integer(Int64(json_integer_value(node)))
        case JSON_REAL:
            return unsafe .number(json_real_value(node))
        case JSON_TRUE:
            return .bool(true)
        case JSON_FALSE:
            return .bool(false)
        default:
            return .null
        }
    }

    private static func members(of node: UnsafeMutablePointer<json_t>) -> [Member] {
        var members: [Member] = []
        unsafe members.reserveCapacity(json_object_size(node))
        var position = unsafe json_object_iter(node)
        while let iterator = unsafe position {
            if let element = unsafe json_object_iter_value(iterator) {
                let key = unsafe text(json_object_iter_key(iterator), count: json_object_iter_key_len(iterator))
                unsafe members.append(Member(key, value(of: element)))
            }
            unsafe position = json_object_iter_next(node, iterator)
        }
        return members
    }

    private static func text(_ start: UnsafePointer<CChar>?, count: Int) -> String {
        unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count), as: UTF8.self)
    }

    private typealias Member = JSON.Member
}
