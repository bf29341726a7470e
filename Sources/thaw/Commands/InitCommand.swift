import ArgumentParser
import Foundation
import Manifests

/// Makes the folder of a new function: `thaw init NAME [--template python]`.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make the folder of a new function.",
        discussion: "Templates: \(FunctionTemplate.list)."
    )

    @Argument(help: "Name of the function, and of its folder.")
    var name: String

    @Option(help: "What to begin with.")
    var template = FunctionTemplate.python

    func run() throws {
        guard Manifest.isName(name) else {
            throw CommandFailure.file(
                "a function is called by 1 to 63 of a-z, 0-9 and -, without - at either end, not \"\(name)\""
            )
        }
        let files = template.files(name: name)
        guard !FileManager.default.fileExists(atPath: name) else {
            throw CommandFailure.file("\(name) is there already; choose another name, or remove it")
        }
        for file in files {
            let url = URL(fileURLWithPath: name).appendingPathComponent(file.path)
            do {
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data(file.text.utf8).write(to: url)
                if file.isExecutable {
                    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: url.path)
                }
            } catch {
                throw CommandFailure.file("\(url.path) cannot be written: \(error.localizedDescription)")
            }
        }
        try Output.line("\(name)/ has \(files.map(\.path).joined(separator: ", "))")
        try Output.line("next: \(template.nextStep(name: name))")
    }
}

extension FunctionTemplate: ExpressibleByArgument {}
