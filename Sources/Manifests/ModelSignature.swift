/// What goes into a function's model and what comes out, as its callers see it.
///
/// The packer writes it into its report, the registry keeps it with the snapshot, and the doors show it.
package struct ModelSignature: Codable, Hashable, Sendable {
    package struct Port: Codable, Hashable, Sendable {
        package var name: String
        /// As the Open Inference Protocol names it: `FP32`, `INT64`, `BYTES`, ….
        package var datatype: String
        /// Sizes of the dimensions; -1 where a call chooses.
        package var shape: [Int]

        package init(name: String, datatype: String, shape: [Int]) {
            self.name = name
            self.datatype = datatype
            self.shape = shape
        }
    }

    package var inputs: [Port]
    package var outputs: [Port]

    package init(inputs: [Port], outputs: [Port]) {
        self.inputs = inputs
        self.outputs = outputs
    }

    /// Whether a packer's word can be shown: names and numbers within bounds.
    package var isWithinBounds: Bool {
        let ports = inputs + outputs
        return inputs.count <= Self.portsMax && outputs.count <= Self.portsMax
            && ports.allSatisfy { port in
                port.name.utf8.count <= Self.nameBytesMax && port.datatype.utf8.count <= 16
                    && port.shape.count <= Self.rankMax && port.shape.allSatisfy { $0 >= -1 }
            }
    }

    /// Models in use have a dozen inputs, names of up to a hundred bytes and eight dimensions.
    private static let portsMax = 64
    private static let nameBytesMax = 1024
    private static let rankMax = 8
}
