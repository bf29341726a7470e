import Linux
import Sandboxing
import Wire

/// What a program of the author's is started with.
struct ProgramOrder: Sendable {
    let image: CodeImage
    let boot: TemplateBoot
    let settings: CodeBoot

    var filter: SystemCallFilter { SystemCallFilter(instructions: boot.templateFilter) }

    /// A program of the jail, in which Lambda's variables say where it is; those of the manifest come on top.
    func program(_ path: String, arguments: [String] = [], adding more: [String] = []) -> JailedProgram {
        var program = JailedProgram(
            path: path,
            environment: environment(adding: more),
            tmpBytesMax: settings.tmpBytesMax
        )
        program.arguments = arguments
        return program
    }

    private func environment(adding more: [String]) -> [String] {
        let own = [
            "PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin",
            "LD_LIBRARY_PATH=/var/task:/var/task/lib:/opt/lib",
            "LANG=C.UTF-8",
            "TZ=:UTC",
            "HOME=/tmp",
            "TMPDIR=/tmp",
            "LAMBDA_TASK_ROOT=\(Jail.taskFolder)",
            "LAMBDA_RUNTIME_DIR=\(Jail.runtimeFolder)",
            "_HANDLER=\(image.handler)",
            "AWS_LAMBDA_FUNCTION_NAME=\(boot.function)",
            "AWS_LAMBDA_FUNCTION_VERSION=\(settings.version)",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=\(max(1, boot.memoryBytesMax >> 20))",
            "AWS_LAMBDA_LOG_GROUP_NAME=/thaw/\(boot.function)",
            "AWS_LAMBDA_LOG_STREAM_NAME=\(settings.version)",
            "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
        ]
        var names: Set<Substring> = []
        // The last word is the author's; of the Runtime API's address and the like it is ours.
        return (more + boot.environment + own).filter { variable in
            names.insert(variable.prefix { $0 != "=" }).inserted
        }
    }
}
