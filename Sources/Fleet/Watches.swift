import Linux
import Scheduling
import Wire

/// What the warden knows of a template.
///
/// Only its thread touches it.
final class TemplateWatch {
    let process: TemplateProcess
    let binding: FunctionBinding
    let handle: ProcessHandle
    let pid: Int32
    /// Of the snapshot's file, then of its bases'.
    let fileIdentities: [FileIdentity]
    let verifiesDigests: Bool
    var listener: RefusalListener?
    var log: LineReader
    var workers: Set<WorkerID> = []
    /// Why it is being killed, or what it said before it ended.
    var verdict: String?
    var refusedCall: String?

    init(
        process: TemplateProcess,
        binding: FunctionBinding,
        handle: consuming ProcessHandle,
        pid: Int32,
        fileIdentities: [FileIdentity],
        verifiesDigests: Bool,
        log: LineReader
    ) {
        self.process = process
        self.binding = binding
        self.handle = handle
        self.pid = pid
        self.fileIdentities = fileIdentities
        self.verifiesDigests = verifiesDigests
        self.log = log
    }
}

/// What the warden knows of a worker.
///
/// Only its thread touches it.
final class WorkerWatch {
    let template: TemplateID
    let memory: MemoryAllowance?
    /// nil until the template has reported the fork.
    var handle: ProcessHandle?
    var pid: Int32?
    var verdict: String?
    var refusedCall: String?
    /// It is dead, and its template was told to take it off the process table.
    var isReapOrdered = false
    /// Read between its death and its burial, while the kernel still has its clock.
    var cpuNanoseconds: UInt64?

    init(template: TemplateID, memory: MemoryAllowance?) {
        self.template = template
        self.memory = memory
    }
}

/// Cuts what comes out of a pipe into lines.
final class LineReader {
    let pipe: Linux.FileDescriptor
    private var rest: [UInt8] = []

    init(_ pipe: consuming Linux.FileDescriptor) {
        self.pipe = pipe
    }

    /// - Returns: the lines that are complete, and whether the pipe has ended.
    func readLines() -> (lines: [String], isEnded: Bool) {
        var lines: [String] = []
        var byteCount = 0
        // Whoever writes without end is read again with the next event, after everybody else.
        while byteCount < FleetLimits.logBytesPerEvent {
            guard let piece = try? pipe.readAvailable(countMax: 16 * 1024) else { return (lines, false) }
            if piece.isEmpty {
                if !rest.isEmpty { lines.append(String(decoding: rest, as: UTF8.self)) }
                rest = []
                return (lines, true)
            }
            byteCount += piece.count
            for byte in piece {
                if byte == UInt8(ascii: "\n") || rest.count == FleetLimits.logLineBytesMax {
                    lines.append(String(decoding: rest, as: UTF8.self))
                    rest.removeAll(keepingCapacity: true)
                }
                if byte != UInt8(ascii: "\n") { rest.append(byte) }
            }
        }
        return (lines, false)
    }
}
