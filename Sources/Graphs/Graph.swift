/// A model as nodes that make values of values, in the order in which they run.
///
///     values     0 … n-1, each written once: by the caller, as a constant, or by one node
///     bodies[0]  the graph itself; the others are run by nodes, once or many times, and may read any value around them
///
/// Bodies share one numbering of values, so that what a body reads from around it needs no name and no copy. No body
/// runs within itself: ONNX has no recursion.
package struct Graph: Sendable {
    package typealias ValueIndex = Int
    package typealias BodyIndex = Int

    /// One operator at its place.
    package struct Node: Sendable {
        /// As in ``Operator/domain``.
        package var domain: String
        package var name: String
        /// The operator set of its domain.
        package var version: Int
        /// How errors call it: `Gemm "/fc1/Gemm"`.
        package var title: String
        /// nil for an input that is left out.
        package var inputs: [ValueIndex?]
        /// nil for an output that nobody wants.
        package var outputs: [ValueIndex?]
        package var attributes: [String: Attribute]

        package init(
            _ name: String,
            domain: String = "",
            version: Int,
            title: String? = nil,
            inputs: [ValueIndex?],
            outputs: [ValueIndex?],
            attributes: [String: Attribute] = [:]
        ) {
            self.name = name
            self.domain = domain
            self.version = version
            self.title = title ?? name
            self.inputs = inputs
            self.outputs = outputs
            self.attributes = attributes
        }

        /// nil for an input that is left out, whether or not others follow it: how many a node has is its file's word.
        package func input(_ place: Int) -> ValueIndex? {
            inputs.indices.contains(place) ? inputs[place] : nil
        }

        /// Bodies that the node runs.
        package var bodies: [BodyIndex] {
            attributes.values.compactMap { if case .graph(let body) = $0 { body } else { nil } }
        }
    }

    /// Nodes that run together.
    package struct Body: Sendable {
        package var inputs: [ValueIndex]
        package var outputs: [ValueIndex]
        package var nodes: [Node]

        package init(inputs: [ValueIndex], outputs: [ValueIndex], nodes: [Node]) {
            self.inputs = inputs
            self.outputs = outputs
            self.nodes = nodes
        }
    }

    /// A value that stands before anything runs; its numbers are kept under `name`, texts in the graph itself.
    package struct Constant: Equatable, Sendable {
        package var value: ValueIndex
        /// No two constants with numbers have the same; not empty.
        package var name: String
        package var element: TensorElement
        package var shape: [Int]
        /// Of a constant of texts; else none.
        package var strings: [String]

        package init(
            _ value: ValueIndex,
            name: String,
            element: TensorElement,
            shape: [Int],
            strings: [String] = []
        ) {
            self.value = value
            self.name = name
            self.element = element
            self.shape = shape
            self.strings = strings
        }
    }

    package enum Dimension: Equatable, Sendable {
        case fixed(Int)
        /// The same for all dimensions of the same name in one call; "" for one that stands alone.
        case open(String)
    }

    /// What comes in or goes out, by name.
    package struct Port: Equatable, Sendable {
        package enum Kind: UInt8, CaseIterable, Sendable {
            case tensor = 0
            case sequence = 1
            case optional = 2
        }

        package var name: String
        package var value: ValueIndex
        package var kind: Kind
        /// nil where the model does not say.
        package var element: TensorElement?
        /// nil where the model does not say.
        package var shape: [Dimension]?
        /// Whether a constant stands in where the caller gives nothing.
        package var hasDefault: Bool

        package init(
            _ name: String,
            _ value: ValueIndex,
            kind: Kind = .tensor,
            element: TensorElement?,
            shape: [Dimension]?,
            hasDefault: Bool = false
        ) {
            self.name = name
            self.value = value
            self.kind = kind
            self.element = element
            self.shape = shape
            self.hasDefault = hasDefault
        }
    }

    package var valueCount: Int
    package var constants: [Constant]
    /// In the order of `bodies[0].inputs`.
    package var inputs: [Port]
    /// In the order of `bodies[0].outputs`.
    package var outputs: [Port]
    package var bodies: [Body]

    package init(valueCount: Int, constants: [Constant], inputs: [Port], outputs: [Port], bodies: [Body]) {
        self.valueCount = valueCount
        self.constants = constants
        self.inputs = inputs
        self.outputs = outputs
        self.bodies = bodies
    }

    /// All values that `node` reads, in its own inputs or in a body that it runs.
    package func reads(of node: Node) -> [ValueIndex] {
        var reads = node.inputs.compactMap(\.self)
        for index in node.bodies {
            for inner in bodies[index].nodes { reads += self.reads(of: inner) }
            reads += bodies[index].outputs
        }
        return reads
    }
}

/// Every bound of graphs.
package enum GraphLimits {
    /// Nodes of all bodies; the largest exports in use have some 20,000.
    package static let nodesMax = 1 << 17
    /// Values of all bodies.
    package static let valuesMax = 1 << 19
    /// Bodies within bodies; models in use nest two or three.
    package static let depthMax = 16
    /// Inputs, and outputs, of one node.
    package static let arityMax = 1 << 12
    /// Bytes of a name; exporters write call paths of a few hundred.
    package static let nameBytesMax = 1 << 12
    /// Bytes of a node's title: of a function within functions it names all of them.
    package static let titleBytesMax = 1 << 14
    /// Bytes of an encoded graph: forests keep their trees in settings, 100 bytes a node.
    package static let bytesMax = 1 << 28
}
