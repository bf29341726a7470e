import Linux
import Manifests
import Models
import Tasks

/// Packages that were installed for a bundle: a tar archive of another sandbox's making.
struct PackageFiles {
    let archive: Archive
    let bytes: [UInt8]

    /// nil where the file is empty.
    init?(_ file: borrowing FileDescriptor) throws(PackRefusal) {
        let contents: [UInt8]
        do {
            let byteCount = try file.size()
            guard byteCount <= PackLimits.codeBytesMax + PackLimits.packageHeadersBytesMax else {
                throw PackRefusal(kind: .tooLarge, message: "the packages of requirements.txt have \(byteCount) bytes")
            }
            contents = try file.pread(count: byteCount, at: 0)
        } catch let refusal as PackRefusal {
            throw refusal
        } catch {
            throw PackRefusal(kind: .storage, message: "the packages cannot be read: \(error)")
        }
        guard !contents.isEmpty else { return nil }
        archive = try unsafe Archive(contents.span.bytes)
        bytes = contents
    }
}

extension PackageOrder {
    private static let fileName = "requirements.txt"

    /// nil where the code needs none, or has them already.
    ///
    /// Code in a zip file is complete, as it is made for Lambda; and where pip has left its records beside the code, somebody has
    /// installed what it needs.
    ///
    /// - Parameter zip: the zip file that the archive was made of.
    init?(
        _ manifest: Manifest,
        of archive: Archive,
        in bytes: borrowing RawSpan,
        inside zip: String?
    ) throws(PackRefusal) {
        let folder = manifest.code ?? ""
        let prefix = folder.isEmpty ? "" : folder + "/"
        guard manifest.runtime == .python3, let range = archive.files[prefix + Self.fileName] else { return nil }
        guard range.count <= PackLimits.requirementsBytesMax, let text = FileBytes.text(range, of: bytes) else {
            throw PackRefusal(
                kind: .invalid,
                message: "requirements.txt is not UTF-8 text of at most \(PackLimits.requirementsBytesMax) bytes"
            )
        }
        let lines = text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " || $0 == "\t" } }
        guard lines.contains(where: { !$0.isEmpty && !$0.hasPrefix("#") }) else { return nil }
        let code = archive.files.filter { $0.key.hasPrefix(prefix) }
        let records = [".dist-info/", ".egg-info/"]
        guard
            !code.keys.contains(where: { path in
                path.dropFirst(prefix.count).prefix { $0 != "/" }.count < path.count
                    && records.contains { (path.dropFirst(prefix.count).prefix { $0 != "/" } + "/").hasSuffix($0) }
            })
        else { return nil }
        let inputs = code.filter { path, _ in
            [".txt", ".in", ".whl", ".tar.gz"].contains { path.hasSuffix($0) }
        }
        guard inputs.count <= PackLimits.requirementInputsMax else {
            throw PackRefusal(
                kind: .tooLarge,
                message: "beside requirements.txt lie \(inputs.count) texts and archives; at most "
                    + "\(PackLimits.requirementInputsMax) are taken"
            )
        }
        var document = text
        for (path, range) in inputs.sorted(by: { $0.key < $1.key }) {
            document += "\0\(path) \(range.count) \(Inflation.checksum(FileBytes.copy(range, of: bytes)))"
        }
        self.init(zip: zip, folder: folder, inputs: document)
    }
}
