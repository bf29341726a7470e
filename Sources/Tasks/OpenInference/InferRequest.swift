import Graphs
import JSON

/// The JSON of an inference request, taken apart and checked for form; whether it fits the model is not known here.
struct InferRequest {
    struct Input {
        enum Data {
            case json(JSON)
            case binary(byteCount: Int)
        }

        var name: String
        var element: TensorElement
        var shape: [Int]
        var data: Data
    }

    struct Output {
        var name: String
        var isBinary: Bool?
        var classes: Int?
    }

    var id: String?
    var inputs: [Input]
    /// nil where the caller names none and gets all.
    var outputs: [Output]?
    var isBinaryOutput: Bool

    init(_ document: JSON) throws(TaskFailure) {
        guard document.objectMembers != nil else {
            throw .malformed("expected an object with \"inputs\", got \(document.kindName)")
        }
        switch document["id"] {
        case nil, .null: id = nil
        case .string(let text): id = text
        default: throw .invalid("id", "\"id\" is a string")
        }
        let parameters = document["parameters"]
        try Self.refuseState(parameters)
        isBinaryOutput =
            try Self.flag(parameters?["binary_data_output"], path: "parameters.binary_data_output") ?? false
        guard let list = document["inputs"] else { throw .missing("inputs", "\"inputs\" is missing") }
        guard let items = list.arrayValue else { throw .invalid("inputs", "\"inputs\" is an array") }
        guard items.count <= TaskLimits.portsMax else {
            throw .invalid("inputs", "at most \(TaskLimits.portsMax) inputs are read")
        }
        inputs = []
        for (index, item) in items.enumerated() { inputs.append(try Self.input(item, path: "inputs.\(index)")) }
        guard let wanted = document["outputs"], wanted != .null else { return }
        guard let items = wanted.arrayValue, items.count <= TaskLimits.portsMax else {
            throw .invalid("outputs", "\"outputs\" is an array of at most \(TaskLimits.portsMax)")
        }
        // None named is the same as all.
        guard !items.isEmpty else { return }
        var outputs: [Output] = []
        for (index, item) in items.enumerated() { outputs.append(try Self.output(item, path: "outputs.\(index)")) }
        self.outputs = outputs
    }

    /// Models here keep nothing from call to call: a sequence would silently be none.
    private static func refuseState(_ parameters: JSON?) throws(TaskFailure) {
        switch parameters?["sequence_id"] {
        case nil, .null, .integer(0), .string(""): return
        default:
            throw .invalid("parameters.sequence_id", "models here keep no state between calls; leave sequence_id out")
        }
    }

    private static func input(_ item: JSON, path: String) throws(TaskFailure) -> Input {
        guard let name = item["name"]?.stringValue else { throw .missing("\(path).name", "an input has a \"name\"") }
        guard let datatype = item["datatype"]?.stringValue else {
            throw .missing("\(path).datatype", "input \"\(name.prefix(80))\" has no \"datatype\"")
        }
        guard let element = TensorElement(openInferenceName: datatype) else {
            throw .invalid("\(path).datatype", "there is no datatype \"\(datatype.prefix(80))\"")
        }
        let parameters = item["parameters"]
        try refuseSharedMemory(parameters, path: path)
        let data: Input.Data
        if let size = parameters?["binary_data_size"], size != .null {
            guard let byteCount = size.integerValue, byteCount >= 0 else {
                throw .invalid("\(path).parameters.binary_data_size", "\"binary_data_size\" is a number of bytes")
            }
            guard item["data"] == nil else {
                throw .invalid(path, "input \"\(name.prefix(80))\" has both \"data\" and \"binary_data_size\"")
            }
            data = .binary(byteCount: Int(byteCount))
        } else if let values = item["data"] {
            guard element != .f16, element != .bf16 else {
                throw .invalid("\(path).data", "\(datatype) comes as binary data only")
            }
            data = .json(values)
        } else {
            throw .missing("\(path).data", "input \"\(name.prefix(80))\" has no \"data\"")
        }
        return Input(name: name, element: element, shape: try shape(item["shape"], path: "\(path).shape"), data: data)
    }

    private static func output(_ item: JSON, path: String) throws(TaskFailure) -> Output {
        guard let name = item["name"]?.stringValue else { throw .missing("\(path).name", "an output has a \"name\"") }
        let parameters = item["parameters"]
        try refuseSharedMemory(parameters, path: path)
        var classes: Int?
        if let value = parameters?["classification"], value != .null, value != .integer(0) {
            guard let count = value.integerValue, (1...Int64(TaskLimits.examplesMax)).contains(count) else {
                throw .invalid("\(path).parameters.classification", "\"classification\" is a number of classes")
            }
            classes = Int(count)
        }
        let isBinary = try flag(parameters?["binary_data"], path: "\(path).parameters.binary_data")
        return Output(name: name, isBinary: isBinary, classes: classes)
    }

    private static func refuseSharedMemory(_ parameters: JSON?, path: String) throws(TaskFailure) {
        guard parameters?["shared_memory_region"] == nil else {
            throw .invalid("\(path).parameters", "this node shares no memory with its clients; send the tensor itself")
        }
    }

    private static func flag(_ value: JSON?, path: String) throws(TaskFailure) -> Bool? {
        guard let value, value != .null else { return nil }
        guard let flag = value.boolValue else { throw .invalid(path, "\"\(path)\" is true or false") }
        return flag
    }

    private static func shape(_ value: JSON?, path: String) throws(TaskFailure) -> [Int] {
        guard let value else { throw .missing(path, "an input has a \"shape\"") }
        guard let items = value.arrayValue, items.count <= TensorLimits.rankMax else {
            throw .invalid(path, "a shape is an array of at most \(TensorLimits.rankMax) sizes")
        }
        var shape: [Int] = []
        var count = 1
        for item in items {
            guard let size = item.integerValue, size >= 0, size <= TensorLimits.elementsMax else {
                throw .invalid(path, "a shape holds sizes from 0 to \(TensorLimits.elementsMax)")
            }
            // Sizes are at most 2³¹ and so is the product before: no overflow.
            count *= Int(size)
            guard count <= TensorLimits.elementsMax else {
                throw .invalid(path, "a tensor has at most \(TensorLimits.elementsMax) elements")
            }
            shape.append(Int(size))
        }
        return shape
    }
}
