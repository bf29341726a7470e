import Foundation
import Manifests

/// The command of a bundle that makes its code, run as whoever deploys.
enum BuildStep {
    /// Runs it in the bundle's folder and shows what it says; does nothing for a bundle without one.
    static func run(_ manifest: Manifest, directory: String) throws(CommandFailure) {
        guard let command = manifest.build else { return }
        let path = directory + "/" + command
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw .file("\(path): the command that build names is not there, or may not be run (chmod +x)")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        // The standard output is the answer to `thaw deploy --json`.
        process.standardOutput = FileHandle.standardError
        do {
            try process.run()
        } catch {
            throw .file("\(path) could not be started: \(error.localizedDescription)")
        }
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw .file("\(path) ended with status \(process.terminationStatus), so nothing was deployed")
        }
    }
}
