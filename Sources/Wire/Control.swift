/// Orders from the scheduler to a template, one sequenced packet each.
///
/// | order | descriptors attached |
/// |---|---|
/// | `boot` | the snapshot, open for reading; the snapshots in whose files tensors of it lie, in the order of its index |
/// | `fork` | the doorbell of the worker's channel; the memory of its rings; the `tasks` file of its memory group, if any |
/// | `reap` | none |
///
/// The end of the socket is the order to end.
package enum TemplateOrder: Equatable, Sendable {
    case boot(TemplateBoot)
    /// One that is forked ahead of any call warms itself up before it says that it is ready.
    case fork(worker: UInt32, isAhead: Bool = false)
    /// Wait for a worker that is known to be dead, and report how it died.
    case reap(worker: UInt32)

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(WireLimits.version)
        switch self {
        case .boot(let boot):
            writer.append(UInt8(1))
            boot.write(to: &writer)
        case .fork(let worker, let isAhead):
            writer.append(UInt8(isAhead ? 4 : 2))
            writer.append(worker)
        case .reap(let worker):
            writer.append(UInt8(3))
            writer.append(worker)
        }
        return writer.bytes
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        let version = try reader.read(UInt16.self)
        guard version == WireLimits.version else { throw .version(version) }
        let kind = try reader.read(UInt8.self)
        switch kind {
        case 1: self = .boot(try TemplateBoot(reading: &reader))
        case 2: self = .fork(worker: try reader.read(UInt32.self))
        case 3: self = .reap(worker: try reader.read(UInt32.self))
        case 4: self = .fork(worker: try reader.read(UInt32.self), isAhead: true)
        default: throw .unknownKind(kind)
        }
        try reader.finish()
    }
}

/// Everything a template needs that is not a descriptor.
package struct TemplateBoot: Equatable, Sendable {
    package var function: String
    /// Which snapshot the descriptor must be, in lower-case hexadecimal.
    package var snapshotDigest: String
    /// Check every digest of the snapshot, not only the index and the frames' checksums.
    package var verifiesDigests: Bool
    /// Private memory that one worker may use, in bytes; the backstop where the kernel offers no memory group.
    package var memoryBytesMax: UInt64
    /// Longest request body, in bytes.
    package var payloadBytesMax: UInt64
    /// Compiled seccomp filters: `sock_filter` arrays, 8 bytes an instruction.
    ///
    /// Of a code function the first is its program's, and the second that of the worker beside the program.
    package var templateFilter: [UInt8]
    package var workerFilter: [UInt8]
    /// `NAME=value`, as the manifest gives them.
    package var environment: [String]
    /// What a code function needs besides; nil for a model.
    package var code: CodeBoot?

    package init(
        function: String,
        snapshotDigest: String,
        verifiesDigests: Bool,
        memoryBytesMax: UInt64,
        payloadBytesMax: UInt64,
        templateFilter: [UInt8],
        workerFilter: [UInt8],
        environment: [String],
        code: CodeBoot? = nil
    ) {
        self.function = function
        self.snapshotDigest = snapshotDigest
        self.verifiesDigests = verifiesDigests
        self.memoryBytesMax = memoryBytesMax
        self.payloadBytesMax = payloadBytesMax
        self.templateFilter = templateFilter
        self.workerFilter = workerFilter
        self.environment = environment
        self.code = code
    }

    func write(to writer: inout ByteWriter) {
        writer.append(text: function)
        writer.append(text: snapshotDigest)
        writer.append(UInt8(verifiesDigests ? 1 : 0))
        writer.append(memoryBytesMax)
        writer.append(payloadBytesMax)
        writer.append(blob: templateFilter)
        writer.append(blob: workerFilter)
        writer.append(UInt16(environment.count))
        for variable in environment {
            writer.append(text: variable)
        }
        writer.append(UInt8(code == nil ? 0 : 1))
        code?.write(to: &writer)
    }

    init(reading reader: inout ByteReader) throws(WireError) {
        function = try reader.readText(countMax: 256)
        snapshotDigest = try reader.readText(countMax: 64)
        verifiesDigests = try reader.read(UInt8.self) != 0
        memoryBytesMax = try reader.read(UInt64.self)
        payloadBytesMax = try reader.read(UInt64.self)
        templateFilter = try reader.readBlob(countMax: 4096 * 8)
        workerFilter = try reader.readBlob(countMax: 4096 * 8)
        environment = []
        for _ in 0..<(try reader.read(UInt16.self)) {
            environment.append(try reader.readText(countMax: 4096))
        }
        let flag = try reader.read(UInt8.self)
        guard flag <= 1 else { throw .unknownKind(flag) }
        code = flag == 1 ? try CodeBoot(reading: &reader) : nil
    }
}

/// What a template tells the scheduler, one sequenced packet each.
///
/// | report | descriptors attached |
/// |---|---|
/// | `sandboxed` | the seccomp listener: forbidden calls of the template and of its forks arrive there |
/// | `forked` | the worker's pidfd |
/// | others | none |
package enum TemplateReport: Equatable, Sendable {
    /// The sandbox has closed; nothing of the snapshot was read before.
    case sandboxed
    /// The snapshot is decoded and checked, the task is ready to be forked.
    case resident(Residency)
    /// The snapshot cannot be served. The template ends after this.
    case refused(message: String)
    case forked(worker: UInt32)
    case reaped(worker: UInt32, Death)

    /// What loading cost and what it holds.
    package struct Residency: Equatable, Sendable {
        /// Bytes of memory that hold the snapshot.
        package var arenaBytes: UInt64
        /// Time to verify and decode the snapshot, in nanoseconds.
        package var decodeNanoseconds: UInt64
        /// Time to build the task (tokenizer, plan, scratch) on it, in nanoseconds.
        package var prepareNanoseconds: UInt64

        package init(arenaBytes: UInt64, decodeNanoseconds: UInt64, prepareNanoseconds: UInt64) {
            self.arenaBytes = arenaBytes
            self.decodeNanoseconds = decodeNanoseconds
            self.prepareNanoseconds = prepareNanoseconds
        }
    }

    /// How a process ended, from its parent's `wait`.
    package struct Death: Equatable, Sendable {
        /// Signal that ended it, 0 if it exited.
        package var signal: UInt8
        /// Exit status, if no signal ended it.
        package var status: UInt8
        /// Number of the system call that its filter refused, -1 if none did.
        package var refusedCall: Int32
        /// Processor time it used, in nanoseconds.
        package var cpuNanoseconds: UInt64
        /// Largest resident memory, in bytes.
        package var residentBytesMax: UInt64
        /// Why it ended, as it said itself; empty where it said nothing.
        package var lastWords: String

        package init(
            signal: UInt8,
            status: UInt8,
            refusedCall: Int32,
            cpuNanoseconds: UInt64,
            residentBytesMax: UInt64,
            lastWords: String = ""
        ) {
            self.signal = signal
            self.status = status
            self.refusedCall = refusedCall
            self.cpuNanoseconds = cpuNanoseconds
            self.residentBytesMax = residentBytesMax
            self.lastWords = lastWords
        }
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(WireLimits.version)
        switch self {
        case .sandboxed:
            writer.append(UInt8(1))
        case .resident(let residency):
            writer.append(UInt8(2))
            writer.append(residency.arenaBytes)
            writer.append(residency.decodeNanoseconds)
            writer.append(residency.prepareNanoseconds)
        case .refused(let message):
            writer.append(UInt8(3))
            writer.append(text: message)
        case .forked(let worker):
            writer.append(UInt8(4))
            writer.append(worker)
        case .reaped(let worker, let death):
            writer.append(UInt8(5))
            writer.append(worker)
            writer.append(death.signal)
            writer.append(death.status)
            writer.append(death.refusedCall)
            writer.append(death.cpuNanoseconds)
            writer.append(death.residentBytesMax)
            writer.append(text: death.lastWords)
        }
        return writer.bytes
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        let version = try reader.read(UInt16.self)
        guard version == WireLimits.version else { throw .version(version) }
        let kind = try reader.read(UInt8.self)
        switch kind {
        case 1:
            self = .sandboxed
        case 2:
            self = .resident(
                Residency(
                    arenaBytes: try reader.read(UInt64.self),
                    decodeNanoseconds: try reader.read(UInt64.self),
                    prepareNanoseconds: try reader.read(UInt64.self)
                )
            )
        case 3:
            self = .refused(message: try reader.readText(countMax: WireLimits.failureMessageBytesMax))
        case 4:
            self = .forked(worker: try reader.read(UInt32.self))
        case 5:
            self = .reaped(
                worker: try reader.read(UInt32.self),
                Death(
                    signal: try reader.read(UInt8.self),
                    status: try reader.read(UInt8.self),
                    refusedCall: try reader.read(Int32.self),
                    cpuNanoseconds: try reader.read(UInt64.self),
                    residentBytesMax: try reader.read(UInt64.self),
                    lastWords: try reader.readText(countMax: WireLimits.lastWordsBytesMax)
                )
            )
        default:
            throw .unknownKind(kind)
        }
        try reader.finish()
    }
}
