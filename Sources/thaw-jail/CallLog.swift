import Linux
import Wire

/// The lines that say in a function's log where a call begins and ends, as Lambda has them.
final class CallLog {
    private let version: UInt32
    private let memoryMebibytes: UInt64
    private var id = ""
    private var begunAt: UInt64 = 0

    init(_ order: ProgramOrder) {
        version = order.settings.version
        memoryMebibytes = max(1, order.boot.memoryBytesMax >> 20)
    }

    func begin(_ id: String) {
        self.id = id
        begunAt = Clock.monotonicNanoseconds()
        write("START RequestId: \(id) Version: \(version)\n")
    }

    /// Nobody waits for these any more.
    func end() {
        let microseconds = (Clock.monotonicNanoseconds() - begunAt) / 1000
        let fraction = String(microseconds % 1000 / 10 + 100).dropFirst()
        let duration = "Duration: \(microseconds / 1000).\(fraction) ms"
        let billed = "Billed Duration: \((microseconds + 999) / 1000) ms"
        write(
            "END RequestId: \(id)\nREPORT RequestId: \(id)\t\(duration)\t\(billed)\tMemory Size: \(memoryMebibytes) MB\n"
        )
    }

    /// A log that is full or gone costs the call nothing.
    private func write(_ text: String) {
        CurrentProcess.log(Array(text.utf8))
    }
}
