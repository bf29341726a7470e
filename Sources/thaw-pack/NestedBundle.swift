import Manifests
import Models

/// A bundle in a zip: what clients send that know zip files only.
///
/// A manifest that was made for the zip steps back behind the one in it, which its author wrote. Layers beside the zip stay.
struct NestedBundle {
    /// A tar archive.
    private(set) var bytes: [UInt8] = []
    /// Where in it the layers are that were named beside the zip.
    private(set) var layers: [String] = []

    /// Nobody's own files are called so.
    private static let layersFolder = ".thaw-layers"

    /// nil where the code is no zip, or a zip without a manifest at its top.
    init?(_ manifest: Manifest, of archive: Archive, in bytes: borrowing RawSpan) throws(PackRefusal) {
        guard let code = manifest.code, let range = archive.files[code] else { return nil }
        let zip = try ZipArchive(code, bytes.extracting(range))
        guard zip.members.contains(where: { $0.path == Manifest.fileName }) else { return nil }
        let total = zip.members.reduce(0) { $0 + $1.byteCount }
        guard total <= PackLimits.codeBytesMax else {
            throw PackRefusal(
                kind: .tooLarge,
                message: "the zip holds \(total) bytes; at most \(PackLimits.codeBytesMax) are taken"
            )
        }
        for member in zip.members {
            guard BundleHeader.fits(member.path) else {
                throw PackRefusal(
                    kind: .invalid,
                    message: "\(member.path.prefix(80)): the path is too long for a bundle"
                )
            }
            add(member.path, try zip.contents(of: member, in: bytes.extracting(range)), member.isExecutable)
        }
        for (number, layer) in (manifest.layers ?? []).enumerated() {
            guard let range = archive.files[layer] else { continue }
            layers.append("\(Self.layersFolder)/\(number).zip")
            add(layers[number], FileBytes.copy(range, of: bytes), false)
        }
        self.bytes += [UInt8](repeating: 0, count: 2 * BundleHeader.blockBytes)
    }

    private mutating func add(_ path: String, _ contents: [UInt8], _ isExecutable: Bool) {
        bytes += BundleHeader.bytes(path: path, byteCount: contents.count, isExecutable: isExecutable)
        bytes += contents
        let rest = contents.count % BundleHeader.blockBytes
        if rest > 0 { bytes += [UInt8](repeating: 0, count: BundleHeader.blockBytes - rest) }
    }
}
