@testable import Graphs

/// One operator, run on its own as the runner would.
struct OperatorTrial {
    let name: String
    var domain = ""
    var version = 21
    var attributes: [String: Attribute] = [:]
    var outputCount = 1

    func run(_ inputs: [GraphValue]) throws -> [GraphValue] {
        guard let found = OperatorTable.find(name, domain: domain, version: version) else {
            throw GraphError.unsupported("\(name) is not in the table")
        }
        let call = OperatorCall(
            inputs: inputs,
            attributes: attributes,
            version: version,
            outputCount: outputCount,
            pool: MemoryPool()
        )
        return try found.body(call)
    }

    /// The first output, a tensor.
    func tensor(_ inputs: Tensor...) throws -> Tensor {
        guard case .tensor(let tensor) = try run(inputs.map { .tensor($0) }).first else {
            throw GraphError.invalid("\(name) gave no tensor")
        }
        return tensor
    }
}
