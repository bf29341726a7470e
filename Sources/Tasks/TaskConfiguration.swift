import JSON

/// What a function does around its model: the `task` entry of a snapshot, as JSON.
package struct TaskConfiguration: Equatable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Texts in, a vector for each out.
        case embed
        /// Numbers or texts in, a label and its scores out.
        case classify
        /// Pairs of texts in, a score of each out.
        case rank
        /// Texts in, their parts that have a name out.
        case tag
        /// Numbers in, numbers out.
        case tensor
        /// No model: the body comes back.
        case none
    }

    package var kind: Kind
    /// Tokens of one text that the model is fed, special ones included; a longer text is cut.
    package var tokensMax: Int
    /// Names of the classes in the order of the model's scores; nil where they are 0, 1, 2, ….
    package var labels: [String]?
    /// Threads that work on one call: 1 or 2.
    package var threads = 1

    package init(kind: Kind, tokensMax: Int = 0, labels: [String]? = nil, threads: Int = 1) {
        self.kind = kind
        self.tokensMax = tokensMax
        self.labels = labels
        self.threads = threads
    }

    package func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("kind")
        writer.string(kind.rawValue)
        writer.key("tokensMax")
        writer.integer(tokensMax)
        // One is not written: a snapshot of a function that asks for nothing stays what it was.
        if threads > 1 {
            writer.key("threads")
            writer.integer(threads)
        }
        if let labels {
            writer.key("labels")
            writer.beginArray()
            for label in labels { writer.string(label) }
            writer.endArray()
        }
        writer.endObject()
        return writer.bytes
    }

    /// Reads what a packer wrote.
    package init(decoding bytes: [UInt8]) throws(TaskError) {
        let document: JSON
        do throws(JSONError) {
            document = try JSON.parse(bytes)
        } catch {
            throw .configuration("\(error)")
        }
        guard let kind = document["kind"]?.stringValue.flatMap(Kind.init(rawValue:)) else {
            throw .configuration("it names no task that this version knows")
        }
        guard let tokensMax = document["tokensMax"]?.integerValue, (0...Self.tokensMaxMax).contains(tokensMax) else {
            throw .configuration("tokensMax is not a number of tokens")
        }
        self.kind = kind
        self.tokensMax = Int(tokensMax)
        if let node = document["threads"] {
            guard let threads = node.integerValue, (1...2).contains(threads) else {
                throw .configuration("threads is not 1 or 2")
            }
            self.threads = Int(threads)
        }
        guard let list = document["labels"] else { return }
        guard let items = list.arrayValue else { throw .configuration("labels is not an array") }
        let labels = items.compactMap(\.stringValue)
        guard labels.count == items.count else { throw .configuration("a label is not a string") }
        self.labels = labels
    }

    /// No encoder that we know takes a million tokens; a number beyond is a damaged file.
    private static let tokensMaxMax: Int64 = 1 << 20
}

/// Why a snapshot's task cannot be built; a sentence for whoever deployed it.
package enum TaskError: Error, Equatable, Sendable, CustomStringConvertible {
    case configuration(String)
    case plan(String)
    case tokenizer(String)
    /// The parts do not fit each other.
    case mismatch(String)

    package var description: String {
        switch self {
        case .configuration(let reason): "the snapshot's task cannot be read: \(reason)"
        case .plan(let reason): "the snapshot's plan cannot be run: \(reason)"
        case .tokenizer(let reason): "the snapshot's tokenizer cannot be read: \(reason)"
        case .mismatch(let reason): reason
        }
    }
}
