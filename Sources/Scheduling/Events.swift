/// What happened, for ``WorkerPool/handle(_:at:)``.
package enum PoolEvent: Equatable, Sendable {
    /// A version can be called from now on. Told again, its limits change.
    case installed(PoolKey, PoolLimits, PoolSource)
    /// The version is gone: what it runs is finished, then its processes end.
    case removed(PoolKey)
    case called(CallID, PoolKey, bytes: Int = 0)
    /// The version is to be resident without a call.
    case loadRequested(PoolKey)
    /// The version is to rest on the disk.
    case unloadRequested(PoolKey)
    /// The caller has gone. A waiting call is forgotten; a running one is left to finish.
    case cancelled(CallID)
    /// The worker has answered this call, well or badly, and can take another.
    case finished(CallID, WorkerID)
    case templateResident(TemplateID, bytes: UInt64)
    /// The kernel counts so many bytes for the template: its memory, page tables included, without mapped files.
    case templateMeasured(TemplateID, bytes: UInt64)
    /// The template ended, whether it had become resident or not; its workers end with it and are reported one by one.
    case templateGone(TemplateID)
    /// The kernel counts so many private bytes for a worker that was never used.
    case workerMeasured(WorkerID, bytes: UInt64)
    case workerGone(WorkerID)
    /// The snapshot's file is in memory: so many bytes, after so long.
    case packedHeld(SnapshotID, bytes: UInt64, nanoseconds: UInt64)
    /// It could not be held.
    case packedRefused(SnapshotID)
    /// Nothing is admitted any more.
    case draining
    /// The instant of the last ``PoolEffect/wake(at:)`` has come.
    case tick
}

/// Where a version comes from, and whether calls without a qualifier go to it.
package struct PoolSource: Equatable, Sendable {
    package var snapshot: SnapshotID
    /// Bytes of the snapshot's file.
    package var fileBytes: UInt64
    /// Other files in which parts of the snapshot lie, and which are held with its own.
    package var bases: [Base]
    /// Of a function's versions only this one keeps a minimum and a reserve.
    package var serves: Bool

    /// A snapshot in whose file parts of another lie.
    package struct Base: Equatable, Sendable {
        package var snapshot: SnapshotID
        /// Bytes of its file.
        package var fileBytes: UInt64

        package init(snapshot: SnapshotID, fileBytes: UInt64) {
            self.snapshot = snapshot
            self.fileBytes = fileBytes
        }
    }

    package init(snapshot: SnapshotID, fileBytes: UInt64, bases: [Base] = [], serves: Bool = true) {
        self.snapshot = snapshot
        self.fileBytes = fileBytes
        self.bases = bases
        self.serves = serves
    }
}

/// What is to be done about it, in this order.
package enum PoolEffect: Equatable, Sendable {
    case bootTemplate(TemplateID, PoolKey)
    case forkWorker(WorkerID, TemplateID)
    /// As `forkWorker`, for the reserve: no call waits for it.
    case reserveWorker(WorkerID, TemplateID)
    /// Send the call to the worker, which may be a fork ordered just before.
    case assign(CallID, WorkerID, StartKind)
    /// Send the calls to the worker, to be run as one; their deadline is the same.
    case assignBatch([BatchMember], WorkerID)
    /// Answer the call without running it.
    case refuse(CallID, Refusal)
    /// The call's worker, or the template that it waited for, is gone: answer it with the reason that the fleet knows.
    case fail(CallID)
    /// The call has run for longer than its function allows: answer it and kill the worker.
    case timeOut(CallID, WorkerID)
    /// Let the worker end; it has no call.
    case endWorker(WorkerID)
    /// Let the template end; it has no workers.
    case endTemplate(TemplateID)
    /// Bring the snapshot's file, which may be a base of the version's, into memory and keep it there, then say `packedHeld` or `packedRefused`.
    case holdPacked(SnapshotID, PoolKey)
    /// Let the file go again, or forget the order.
    case releasePacked(SnapshotID)
    /// Nothing is left of a removed version; its name may be forgotten.
    case forgotten(PoolKey)
    /// Send `tick` at this instant; an earlier order is replaced.
    case wake(at: Instant)
}

/// A call of a batch.
package struct BatchMember: Equatable, Sendable {
    package var call: CallID
    package var start: StartKind

    package init(_ call: CallID, _ start: StartKind) {
        self.call = call
        self.start = start
    }
}

/// Why a call was not run.
package enum Refusal: Equatable, Sendable {
    case draining
    case unknownPool
    /// As many calls wait as may wait.
    case queueFull(retryAfterSeconds: Int)
    /// At the pace of the last calls this one would wait longer than it may.
    case deadlineUnreachable(retryAfterSeconds: Int)
    /// It waited as long as it may, and no worker came free.
    case queueTimedOut(retryAfterSeconds: Int)
}
