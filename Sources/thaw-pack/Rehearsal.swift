import JSON
import Linux
import Manifests
import Snapshots

/// One tiny pack of our own making, before the sandbox closes: what the libraries set up at their first use (hash
/// seeds, providers, regular expressions, locale data) is set up while they may still ask the system for it.
enum Rehearsal {
    static func run() throws {
        let manifest = try Manifest.parse(yaml: "name: rehearsal\nscaling: {min: 0}\n", file: Manifest.fileName)
        _ = try JSON.parse(Array(#"{"a": 1.5}"#.utf8))
        var output = try SnapshotOutput(FileDescriptor.memoryFile("rehearsal"))
        try output.add("task", Array("{}".utf8))
        let size = try output.finish()
        let packed = PackedFunction(
            manifest: manifest,
            snapshotDigest: size.digest.hex,
            arenaBytes: size.arenaBytes,
            storedBytes: size.storedBytes,
            tensorCount: size.entryCount,
            task: manifest.task,
            signature: ModelSignature(inputs: [.init(name: "a", datatype: "FP32", shape: [-1])], outputs: []),
            seconds: 0
        )
        _ = try PackReport.packed(packed).encoded()
    }
}
