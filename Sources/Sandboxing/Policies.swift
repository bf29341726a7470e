package import Linux

/// The compiled policies of all roles; made once, when the scheduler starts.
package struct Policies: Equatable, Sendable {
    package let packer: SystemCallFilter
    package let template: SystemCallFilter
    /// Stacked by a worker on its template's, so that a call must pass both.
    package let worker: SystemCallFilter
    /// Of an author's program, which has no other filter above it.
    package let code: SystemCallFilter
    /// Of a Python function's zygote, and of its forks: as of a program, and into the cells that it is handed.
    package let zygote: SystemCallFilter
    /// Of the worker beside that program.
    package let codeWorker: SystemCallFilter

    /// Reads and compiles the six policies of a folder.
    package init(folder: String) throws(PolicyError) {
        try self.init { (name) throws(PolicyError) -> String in
            let file = "\(folder)/\(name).policy"
            let bytes: [UInt8]
            do throws(SystemError) {
                bytes = try FileDescriptor.open(file).readAll(countMax: Policy.Limits.textBytesMax)
            } catch {
                throw .unreadable(file: file, reason: "\(error)")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw .unreadable(file: file, reason: "it is not UTF-8 text")
            }
            return text
        }
    }

    /// As ``init(folder:)``, with texts from anywhere.
    package init(text: (_ name: String) throws(PolicyError) -> String) throws(PolicyError) {
        let template = try Policy(named: "template", text: text)
        let worker = try Policy(named: "worker", text: text)
        // What the template may not do, its filter refuses in the worker too: such a rule would be a false promise.
        for rule in worker.rules where !template.mentions(rule.call) {
            let problem = "a worker inherits its template's filter, and template.policy does not allow \(rule.call)"
            throw .line(file: rule.file, line: rule.line, problem: problem)
        }
        packer = try Policy(named: "packer", text: text).compiled(refusing: .notify)
        self.template = try template.compiled(refusing: .notify)
        self.worker = try worker.compiled(refusing: .trap)
        code = try Policy(named: "code", text: text).compiled(refusing: .deny)
        zygote = try Policy(named: "zygote", text: text).compiled(refusing: .deny)
        codeWorker = try Policy(named: "code-worker", text: text).compiled(refusing: .trap)
    }
}
