import Foundation
import Trials

/// Where the tree and its built programs lie.
enum Tree {
    /// The package's root.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let functions = root.appendingPathComponent("functions")

    /// The directory of this test's executable, and of the programs that were built with it.
    static let programs: String = {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: own ?? CommandLine.arguments[0]).deletingLastPathComponent().path
    }()

    /// As ``programs``, but the worker is the one that fails on command.
    ///
    /// Only tests can start a node on it.
    static func faultyPrograms() throws -> String {
        let folder = programs + "/faulty"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // Links of the same file system: a node finds its programs beside the name that it was started by.
        for (program, name) in [
            ("thaw", "thaw"), ("thaw-pack", "thaw-pack"), ("thaw-jail", "thaw-jail"), ("thaw-source", "thaw-source"),
            ("fault-worker", "thaw-worker"),
        ] {
            let path = "\(folder)/\(name)"
            let fresh = "\(path).\(UUID().uuidString)"
            try FileManager.default.linkItem(atPath: "\(programs)/\(program)", toPath: fresh)
            guard rename(fresh, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        }
        return folder
    }

    static var hasModel: Bool {
        FileManager.default.fileExists(atPath: functions.appendingPathComponent("embed/model/model.safetensors").path)
    }

    /// The interpreter that code functions find in their root.
    static var hasPython: Bool { FileManager.default.isExecutableFile(atPath: "/usr/bin/python3") }

    static var isRoot: Bool { geteuid() == 0 }
}

/// A bundle made for one test.
struct TrialBundle {
    let path: String

    /// - Parameter files: contents by path, beside the manifest.
    init(_ manifest: String, files: [String: Data] = [:]) throws {
        path = try TrialNode.freshDirectory()
        try Data(manifest.utf8).write(to: URL(fileURLWithPath: path + "/function.yaml"))
        for (name, contents) in files {
            let url = URL(fileURLWithPath: path).appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try contents.write(to: url)
        }
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// A function without a model, which the faulty worker takes commands through.
    static func echo(_ name: String, _ settings: String = "") throws -> TrialBundle {
        try TrialBundle("name: \(name)\nruntime: model\n\(settings)")
    }
}

/// Archives as an attacker would write them.
enum TarBuilder {
    struct Entry {
        var name: String
        var contents = Data()
        var type: UInt8 = UInt8(ascii: "0")
        var link = ""
        /// The size that the header claims, where that is not the truth.
        var claimedSize: Int?
    }

    static func archive(_ entries: [Entry]) -> Data {
        var archive = Data()
        for entry in entries {
            var header = [UInt8](repeating: 0, count: 512)
            func put(_ text: String, at offset: Int) {
                header.replaceSubrange(offset..<offset + text.utf8.count, with: Array(text.utf8))
            }
            func octal(_ value: Int, width: Int) -> String {
                let digits = String(value, radix: 8)
                return String(repeating: "0", count: width - digits.count) + digits
            }
            put(String(entry.name.prefix(100)), at: 0)
            put(octal(0o644, width: 7), at: 100)
            put(octal(0, width: 7), at: 108)
            put(octal(0, width: 7), at: 116)
            put(octal(entry.claimedSize ?? entry.contents.count, width: 11), at: 124)
            put(octal(0, width: 11), at: 136)
            header[156] = entry.type
            put(entry.link, at: 157)
            put("ustar", at: 257)
            put("00", at: 263)
            put("        ", at: 148)
            put(octal(header.reduce(0) { $0 + Int($1) }, width: 6) + "\0 ", at: 148)
            archive.append(contentsOf: header)
            archive.append(entry.contents)
            archive.append(Data(count: (512 - entry.contents.count % 512) % 512))
        }
        archive.append(Data(count: 1024))
        return archive
    }
}
