import Linux
import Manifests
import Models

@testable import thaw_pack

/// What is uploaded for a deploy.
enum FuzzedBundle {
    /// A tar archive whose headers' checksums are in order: no fuzzer finds those.
    static func readArchive(_ bytes: [UInt8]) {
        let bytes = withChecksums(bytes)
        guard let archive = try? Archive(unsafe bytes.span.bytes) else { return }
        for (path, range) in archive.files {
            precondition(range.upperBound <= bytes.count, "the files lie in the archive")
            precondition(!path.split(separator: "/").contains(".."), "no path leaves the bundle")
        }
    }

    static func readZip(_ bytes: [UInt8]) {
        guard let zip = try? ZipArchive("code.zip", unsafe bytes.span.bytes) else { return }
        for member in zip.members {
            precondition(!member.path.split(separator: "/").contains(".."), "no path leaves the bundle")
            _ = try? zip.contents(of: member, in: unsafe bytes.span.bytes)
        }
    }

    /// A bundle of three files, packed: its manifest, which ends with a zero byte, and the rest both as code and as model.
    static func pack(_ bytes: [UInt8]) {
        let end = bytes.firstIndex(of: 0) ?? bytes.count
        var tar = TarWriter()
        tar.add(Manifest.fileName, Array(bytes[..<end]))
        tar.add("code.zip", Array(bytes[min(end + 1, bytes.count)...]))
        tar.add("model.onnx", Array(bytes[min(end + 1, bytes.count)...]))
        guard let bundle = try? FileDescriptor.memoryFile("bundle"),
            let snapshot = try? FileDescriptor.memoryFile("snapshot"),
            (try? bundle.pwrite(tar.finished(), at: 0)) != nil
        else { preconditionFailure("the machine has memory for a bundle") }
        _ = try? Packer.pack(bundle, into: snapshot)
    }

    private static func withChecksums(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for start in stride(from: 0, to: bytes.count - 511, by: 512)
        where bytes[start + 257..<start + 262].elementsEqual("ustar".utf8) {
            let sum = bytes[start..<start + 512].reduce(0) { $0 + Int($1) }
            let field = bytes[start + 148..<start + 156].reduce(0) { $0 + Int($1) }
            let digits = String(sum - field + 8 * 0x20, radix: 8)
            let text = String(repeating: "0", count: 6 - digits.count) + digits + "\0 "
            bytes.replaceSubrange(start + 148..<start + 156, with: text.utf8)
        }
        return bytes
    }
}
