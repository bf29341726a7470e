import Linux

/// What a packer left behind.
package enum PackOutcome: Sendable, Equatable {
    /// It ended in good order; the bytes are its report, not yet believed.
    case reported([UInt8])
    case died(reason: String)
}

/// One bundle to be packed.
///
/// The files are opened by the scheduler: the packer's sandbox has no names.
struct PackOrder: Sendable {
    let bundlePath: String
    let snapshotPath: String
    /// What the packer may refer to, as it reads it.
    let catalog: [UInt8]
    let packagesPath: String?
    let continuation: CheckedContinuation<PackOutcome, Never>
}

/// The packer as the deployer sees it: a bundle in, a snapshot and a report out.
package struct Packing: Sendable {
    /// Bytes of a report: a manifest, at most 64 KiB, as JSON, with room for its escapes.
    static let reportBytesMax = 1 << 20

    /// Private memory of a packer: the largest tensor three times (as read, as packed, as compressed).
    ///
    /// 8 GiB hold a tensor of 2.6 GB, larger than any single one of the models that fit the upload limit.
    static let memoryBytesMax: UInt64 = 8 << 30

    private let warden: Warden

    package init(warden: Warden) {
        self.warden = warden
    }

    func order(_ order: InstallOrder) {
        warden.install(order)
    }

    /// - Parameters:
    ///   - bundle: path of a tar archive.
    ///   - snapshot: path of a file that does not exist; on failure the caller removes what is there.
    ///   - catalog: what other snapshots have, as the packer reads it.
    ///   - packages: path of a tar archive of what lies beside the code; nil for none.
    package func pack(
        bundle: String,
        into snapshot: String,
        sharing catalog: [UInt8],
        packages: String? = nil
    ) async -> PackOutcome {
        await withCheckedContinuation { continuation in
            warden.pack(
                PackOrder(
                    bundlePath: bundle,
                    snapshotPath: snapshot,
                    catalog: catalog,
                    packagesPath: packages,
                    continuation: continuation
                )
            )
        }
    }
}

/// What the warden knows of a packer at work.
///
/// Only its thread touches it.
final class PackWatch {
    let continuation: CheckedContinuation<PackOutcome, Never>
    let handle: ProcessHandle
    let memory: MemoryAllowance?
    /// The packer sends its seccomp listener here.
    let listenerSocket: FileDescriptor
    let report: FileDescriptor
    let log: LineReader
    let deadlineNanoseconds: UInt64
    var listener: RefusalListener?
    var reportBytes: [UInt8] = []
    var verdict: String?
    var refusedCall: String?

    init(
        continuation: CheckedContinuation<PackOutcome, Never>,
        handle: consuming ProcessHandle,
        memory: MemoryAllowance?,
        listenerSocket: consuming FileDescriptor,
        report: consuming FileDescriptor,
        log: LineReader,
        deadlineNanoseconds: UInt64
    ) {
        self.continuation = continuation
        self.handle = handle
        self.memory = memory
        self.listenerSocket = listenerSocket
        self.report = report
        self.log = log
        self.deadlineNanoseconds = deadlineNanoseconds
    }

    /// Takes what has come; a report without end is cut by killing its writer.
    func readReport() {
        while let piece = try? report.readAvailable(countMax: 64 * 1024), !piece.isEmpty {
            reportBytes += piece
            guard reportBytes.count <= Packing.reportBytesMax else {
                kill(because: "contract: a report of more than \(Packing.reportBytesMax) bytes")
                return
            }
        }
    }

    func kill(because reason: String) {
        verdict = verdict ?? reason
        // It may have ended already; its burial comes either way.
        try? handle.kill()
    }
}
