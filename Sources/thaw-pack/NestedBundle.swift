import Manifests

/// A bundle in a zip: what clients send that know zip files only.
///
/// A manifest that was made for the zip steps back behind the one in it, which its author wrote.
enum NestedBundle {
    /// The bundle as a tar archive; nil where the code is no zip, or a zip without a manifest at its top.
    static func bytes(
        _ manifest: Manifest,
        of archive: Archive,
        in bytes: borrowing RawSpan
    ) throws(PackRefusal) -> [UInt8]? {
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
        var tar: [UInt8] = []
        for member in zip.members {
            guard BundleHeader.fits(member.path) else {
                throw PackRefusal(
                    kind: .invalid,
                    message: "\(member.path.prefix(80)): the path is too long for a bundle"
                )
            }
            let contents = try zip.contents(of: member, in: bytes.extracting(range))
            tar += BundleHeader.bytes(path: member.path, byteCount: contents.count, isExecutable: member.isExecutable)
            tar += contents
            let rest = contents.count % BundleHeader.blockBytes
            if rest > 0 { tar += [UInt8](repeating: 0, count: BundleHeader.blockBytes - rest) }
        }
        return tar + [UInt8](repeating: 0, count: 2 * BundleHeader.blockBytes)
    }
}
