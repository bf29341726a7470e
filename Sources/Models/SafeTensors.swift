import JSON

/// A `.safetensors` file: a JSON header that says where each tensor lies, then the tensors.
///
/// The header is believed only after every tensor was found to have the bytes of its shape, and all of them together
/// to cover the data without overlap and without a hole, as the format asks.
package struct SafeTensors: Sendable {
    /// Tensors of floating-point numbers, by name.
    package let tensors: [String: StoredTensor]
    /// Name → type of those that hold other things, such as BERT's `position_ids`.
    package let others: [String: String]
    private let path: String

    private struct Placed {
        var name: String
        var range: Range<Int>
    }

    package init(
        _ range: Range<Int>,
        in archive: borrowing RawSpan,
        path: String
    ) throws(ModelError) {
        self.path = path
        guard range.count >= 8, let size = FileBytes.integer(UInt64.self, at: range.lowerBound, in: archive) else {
            throw .invalid("\(path) is no safetensors file: it has \(range.count) bytes")
        }
        guard size <= UInt64(range.count - 8) else {
            throw .invalid(
                "\(path) is cut short: its header should have \(size) bytes, and \(range.count - 8) follow"
            )
        }
        guard size <= UInt64(ModelLimits.safetensorsHeaderBytesMax) else {
            throw .tooLarge(
                "\(path): the header has \(size) bytes; at most \(ModelLimits.safetensorsHeaderBytesMax) are read"
            )
        }
        let headerEnd = range.lowerBound + 8 + Int(size)
        let header = FileBytes.copy(range.lowerBound + 8..<headerEnd, of: archive)
        let members = try Self.members(header, path: path)
        let data = headerEnd..<range.upperBound
        var tensors: [String: StoredTensor] = [:]
        var others: [String: String] = [:]
        var places: [Placed] = []
        for member in members where member.key != "__metadata__" {
            let entry = try Entry(member.value, name: member.key, data: data, path: path)
            if let element = entry.element {
                tensors[member.key] = StoredTensor(range: entry.range, element: element, shape: entry.shape)
            } else {
                others[member.key] = entry.type
            }
            places.append(Placed(name: member.key, range: entry.range))
        }
        guard tensors.count + others.count == places.count else {
            throw .invalid("\(path): two tensors have the same name")
        }
        try Self.checkCover(places, of: data, path: path)
        self.tensors = tensors
        self.others = others
    }

    /// The tensor called `name`, which must have this shape.
    package func tensor(_ name: String, shape: [Int]) throws(ModelError) -> StoredTensor {
        guard let tensor = tensors[name] else {
            if let type = others[name] {
                throw .unsupported("\(path): \(name) has type \(type); supported are F32, F16, BF16 and F64")
            }
            throw .invalid("\(path) lacks \(name), which the model's config.json asks for")
        }
        guard tensor.shape == shape else {
            throw .invalid(
                "\(path): \(name) should have the shape \(Shape.text(shape)) by the model's config.json, it has "
                    + Shape.text(tensor.shape)
            )
        }
        return tensor
    }

    private static func members(_ header: [UInt8], path: String) throws(ModelError) -> [JSON.Member] {
        let json: JSON
        do throws(JSONError) {
            json = try JSON.parse(header)
        } catch {
            throw .invalid("\(path): the header is \(error)")
        }
        guard let members = json.objectMembers else {
            throw .invalid("\(path): the header should be a JSON object, it is \(json.kindName)")
        }
        return members
    }

    /// Sorted by place, each tensor begins where the one before ended.
    private static func checkCover(_ places: [Placed], of data: Range<Int>, path: String) throws(ModelError) {
        var end = data.lowerBound
        let sorted = places.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        for place in sorted {
            guard place.range.lowerBound == end else {
                let what = place.range.lowerBound < end ? "overlaps another tensor" : "leaves a hole before it"
                throw .invalid("\(path): \(place.name) \(what)")
            }
            end = place.range.upperBound
        }
        guard end == data.upperBound else {
            throw .invalid("\(path): \(data.upperBound - end) bytes at the end belong to no tensor")
        }
    }

    /// One tensor of the header, as in `{"dtype": "F32", "shape": [384], "data_offsets": [0, 1536]}`.
    private struct Entry {
        var type: String
        var element: StoredElement?
        var shape: [Int]
        /// In the archive.
        var range: Range<Int>

        /// Bits of an element by type name; types narrower than a byte are not in use yet.
        static let bits: [String: Int] = [
            "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16,
            "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64,
        ]
        static let elements: [String: StoredElement] = ["F32": .f32, "F64": .f64, "F16": .f16, "BF16": .bf16]

        init(_ json: JSON, name: String, data: Range<Int>, path: String) throws(ModelError) {
            guard
                let type = json["dtype"]?.stringValue,
                let dimensions = json["shape"]?.arrayValue,
                let offsets = json["data_offsets"]?.arrayValue, offsets.count == 2,
                let begin = offsets[0].integerValue, let end = offsets[1].integerValue
            else {
                throw .invalid("\(path): \(name.prefix(80)) should have dtype, shape and two data_offsets")
            }
            guard let bits = Self.bits[type] else {
                throw .unsupported("\(path): \(name.prefix(80)) has the unknown type \(type.prefix(20))")
            }
            let shape = dimensions.compactMap(\.integerValue).compactMap { Int(exactly: $0) }
            guard shape.count == dimensions.count, let count = Shape.elementCount(shape) else {
                throw .invalid("\(path): \(name.prefix(80)) has an impossible shape")
            }
            guard 0 <= begin, begin <= end, end <= Int64(data.count) else {
                throw .invalid(
                    "\(path): \(name.prefix(80)) should lie between 0 and \(data.count), it lies from \(begin) to \(end)"
                )
            }
            guard Int(end - begin) == count * bits / 8 else {
                throw .invalid(
                    "\(path): \(name.prefix(80)) of shape \(Shape.text(shape)) and type \(type) should have "
                        + "\(count * bits / 8) bytes, it has \(end - begin)"
                )
            }
            self.type = type
            self.element = Self.elements[type]
            self.shape = shape
            self.range = data.lowerBound + Int(begin)..<data.lowerBound + Int(end)
        }
    }
}
