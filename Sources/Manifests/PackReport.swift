import Foundation

/// What the packer says when it is done: one JSON document on its report descriptor.
///
/// The scheduler believes none of it beyond its form: it opens and verifies the snapshot itself.
package enum PackReport: Codable, Equatable, Sendable {
    case packed(PackedFunction)
    case refused(PackRefusal)

    private enum CodingKeys: String, CodingKey {
        case packed, refused
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let packed = try container.decodeIfPresent(PackedFunction.self, forKey: .packed) {
            self = .packed(packed)
        } else {
            self = .refused(try container.decode(PackRefusal.self, forKey: .refused))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .packed(let packed): try container.encode(packed, forKey: .packed)
        case .refused(let refusal): try container.encode(refusal, forKey: .refused)
        }
    }

    /// The report as the packer writes it.
    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self))
    }

    /// Reads what a packer wrote.
    package init(decoding bytes: [UInt8]) throws {
        self = try JSONDecoder().decode(PackReport.self, from: Data(bytes))
    }
}

/// A bundle that became a snapshot.
package struct PackedFunction: Codable, Equatable, Sendable {
    package var manifest: Manifest
    /// Digest of the snapshot, in lower-case hexadecimal.
    package var snapshotDigest: String
    /// Bytes of the snapshot's tensors once decompressed.
    package var arenaBytes: UInt64
    /// Bytes of the snapshot file.
    package var storedBytes: UInt64
    /// Entries of the snapshot, tensors and documents together.
    package var tensorCount: Int
    package var task: TaskKind
    /// nil for a function without a model.
    package var signature: ModelSignature?
    /// Time from the first byte of the bundle to the last of the snapshot.
    package var seconds: Double

    package init(
        manifest: Manifest,
        snapshotDigest: String,
        arenaBytes: UInt64,
        storedBytes: UInt64,
        tensorCount: Int,
        task: TaskKind,
        signature: ModelSignature? = nil,
        seconds: Double
    ) {
        self.manifest = manifest
        self.snapshotDigest = snapshotDigest
        self.arenaBytes = arenaBytes
        self.storedBytes = storedBytes
        self.tensorCount = tensorCount
        self.task = task
        self.signature = signature
        self.seconds = seconds
    }
}

/// A bundle that did not, with a sentence for its author.
package struct PackRefusal: Error, Codable, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: String, Codable, Sendable {
        /// Malformed: archive, manifest or model file.
        case invalid
        /// Well formed, but this version of Thaw cannot run it.
        case unsupported
        /// Over a limit of the packer's.
        case tooLarge
        /// The packer could not do its work, and the bundle is not to blame: the disk is full, say.
        case storage
        /// Its `requirements.txt` names packages that are not there: to be packed again with them.
        case packages
    }

    package var kind: Kind
    package var message: String
    /// What is missing, where that is why.
    package var packages: PackageOrder?

    package init(kind: Kind, message: String, packages: PackageOrder? = nil) {
        self.kind = kind
        self.message = message
        self.packages = packages
    }

    package var description: String { message }
}

/// Packages that a bundle of Python asks for.
package struct PackageOrder: Codable, Equatable, Sendable {
    /// The zip file in the bundle that holds the code; nil for none.
    package var zip: String?
    /// Where in that, or in the bundle, the code is; empty for its top.
    package var folder: String
    /// `requirements.txt`, and of each other file that it may name the path, size and checksum: what decides on the packages.
    package var inputs: String

    package init(zip: String? = nil, folder: String, inputs: String) {
        self.zip = zip
        self.folder = folder
        self.inputs = inputs
    }
}
