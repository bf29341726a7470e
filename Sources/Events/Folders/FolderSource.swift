import ControlPlane
import Foundation
import Linux
package import NIOCore
import NIOPosix
import Synchronization

/// Files of a folder of this machine: each that was closed after writing or moved in is a record; one that is done is moved
/// away or deleted, so that what lies there is what waits, also after a restart.
package final class FolderSource: EventSource {
    package let kind = SourceKind(name: "thaw:file", isStream: false, payloadKey: "body")
    private let address: FolderAddress
    private let folder: OpenFolder
    private let done: OpenFolder?
    private let loop: any EventLoop
    private let channel: any Channel
    private let bell: Bell
    private let state: Shared

    /// What the events of the kernel and the runner both change.
    fileprivate final class Shared: Sendable {
        let value = Mutex((queue: FolderQueue(), isLost: false))
    }

    /// Bytes of files that one answer carries, in base64 within what an event may have.
    static let bodyBytesMax = 3 << 20
    /// Until a file that somebody still writes is looked at again.
    static let writingMilliseconds: UInt64 = 1000

    /// Opens the folder and looks at what lies there.
    ///
    /// - Parameter watchable: the folders below which one may be watched.
    package init(_ url: SourceURL, watchable: [String], on loop: any EventLoop) async throws(SourceError) {
        let address = try FolderAddress(url)
        let (bell, state) = (Bell(), Shared())
        let places = try await Self.atTheDisk { () throws(SourceError) in
            let folder = try FolderAddress.open(address.path, below: watchable)
            return (folder: folder, done: try address.openDone(in: folder, below: watchable))
        }.get()
        (folder, done) = places
        do {
            let events = try FolderArrivals.watch(folder)
            channel = try await NIOPipeBootstrap(group: loop)
                .channelOption(
                    .recvAllocator,
                    value: FixedSizeRecvByteBufferAllocator(capacity: FolderArrivals.readingBytesMin * 16)
                )
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Arrivals(address.pattern, bell, state))
                    }
                }
                .takingOwnershipOfDescriptor(input: events.take()).get()
        } catch {
            throw SourceError("\(url.shown) cannot be watched: \(error)")
        }
        (self.address, self.loop, self.bell, self.state) = (address, loop, bell, state)
    }

    package func take(_ countMax: Int, waitMilliseconds: Int64?) async throws(SourceError) -> [SourceRecord] {
        let deadline = waitMilliseconds.map { Clock.monotonicNanoseconds() + UInt64(max($0, 0)) * 1_000_000 }
        while true {
            let records = try await Self.atTheDisk { () throws(SourceError) in try self.due(countMax) }.get()
            let now = Clock.monotonicNanoseconds()
            if !records.isEmpty || Task.isCancelled || deadline.map({ $0 <= now }) ?? false { return records }
            let next = state.value.withLock { $0.queue.isLookDue ? now : $0.queue.dueNanoseconds }
            let until = [deadline, next].compactMap(\.self).min()
            let limit = until.map { $0 > now ? Int64(($0 - now) / 1_000_000) + 1 : 0 }
            await bell.wait(atMostMilliseconds: limit, on: loop)
        }
    }

    package func settle(_ records: [SourceRecord]) async throws(SourceError) {
        let names = records.compactMap { ObjectKey.decode($0.handle) }
        try await Self.atTheDisk { () throws(SourceError) in
            for name in names { try self.finish(name) }
        }.get()
    }

    package func putBack(_ records: [SourceRecord], afterMilliseconds: Int64) async throws(SourceError) {
        let due = Clock.monotonicNanoseconds() + UInt64(max(afterMilliseconds, 0)) * 1_000_000
        state.value.withLock { state in
            for name in records.compactMap({ ObjectKey.decode($0.handle) }) {
                state.queue.putOff(name, untilNanoseconds: due)
            }
        }
        bell.ring()
    }

    package func lag() async -> Int? {
        let count = await Self.atTheDisk { () throws(SourceError) in try self.look().count }
        return try? count.get()
    }

    package func close() async { try? await channel.close() }

    // MARK: At the disk

    /// Runs what waits for the disk where waiting is allowed.
    private static func atTheDisk<Value: Sendable>(
        _ work: @escaping @Sendable () throws(SourceError) -> Value
    ) async -> Result<Value, SourceError> {
        do {
            return try await NIOThreadPool.singleton.runIfActive {
                do throws(SourceError) {
                    return .success(try work())
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            return .failure(SourceError("the node ends"))
        }
    }

    private func due(_ countMax: Int) throws(SourceError) -> [SourceRecord] {
        if state.value.withLock({ $0.isLost }) {
            throw SourceError("\(address.shown) was removed or moved away; make it again")
        }
        if state.value.withLock({ $0.queue.isLookDue }) {
            let names = try look()
            state.value.withLock { $0.queue.found(names.filter { !$0.isWritten }.map(\.name)) }
            for (name, isWritten) in names where isWritten { putOffWritten(name) }
        }
        let names = state.value.withLock { $0.queue.next(countMax, now: Clock.monotonicNanoseconds()) }
        var records: [SourceRecord] = []
        var room = Self.bodyBytesMax
        for name in names {
            guard let identity = try at(name, { () throws(SystemError) in try self.folder.identity(of: name) }) else {
                state.value.withLock { $0.queue.drop(name) }
                continue
            }
            if state.value.withLock({ $0.queue.wasWritten(name) }),
                try at(name, { () throws(SystemError) in try self.folder.isBeingWritten(name) })
            {
                putOffWritten(name)
                continue
            }
            var body: [UInt8]?
            if address.carriesBody, identity.byteCount <= Self.bodyBytesMax {
                guard identity.byteCount <= room else {
                    state.value.withLock { $0.queue.putOff(name, untilNanoseconds: 0) }
                    continue
                }
                body = content(name, identity.byteCount)
                room -= body?.count ?? 0
            }
            let count = state.value.withLock { $0.queue.give(name, identity) }
            let file = FolderRecord(folder: address.path, name: name, identity: identity, body: body)
            records.append(file.record(shown: address.shown, deliveryCount: count))
        }
        return records
    }

    /// Nil for a file that may not be read, or went away: what is known of it is told all the same.
    private func content(_ name: OpenFolder.Name, _ byteCount: Int) -> [UInt8]? {
        do throws(SystemError) {
            guard let file = try folder.open(name) else { return nil }
            return try file.pread(count: byteCount, at: 0)
        } catch {
            return nil
        }
    }

    /// The files that lie there, the oldest first, and whether somebody still writes them.
    private func look() throws(SourceError) -> [(name: OpenFolder.Name, isWritten: Bool)] {
        var files: [(name: OpenFolder.Name, modified: Int64)] = []
        do throws(SystemError) {
            for name in try folder.names() where OpenFolder.matches(name, address.pattern) {
                if let identity = try folder.identity(of: name) { files.append((name, identity.modifiedNanoseconds)) }
            }
            files.sort {
                $0.modified == $1.modified ? $0.name.lexicographicallyPrecedes($1.name) : $0.modified < $1.modified
            }
            return try files.map { (file) throws(SystemError) in (file.name, try folder.isBeingWritten(file.name)) }
        } catch {
            throw SourceError("\(address.shown): \(error)")
        }
    }

    private func putOffWritten(_ name: OpenFolder.Name) {
        state.value.withLock { state in
            state.queue.putOffWritten(
                name,
                untilNanoseconds: Clock.monotonicNanoseconds() + Self.writingMilliseconds * 1_000_000
            )
        }
    }

    /// A file that is the one that was given out goes; another one that took its name meanwhile comes.
    private func finish(_ name: OpenFolder.Name) throws(SourceError) {
        guard let given = state.value.withLock({ $0.queue.settle(name) }) else { return }
        try at(name) { () throws(SystemError) in
            guard let now = try self.folder.identity(of: name) else { return }
            guard now.isSameContent(as: given) else {
                self.state.value.withLock { $0.queue.arrived(name) }
                self.bell.ring()
                return
            }
            guard let done = self.done else { return try self.folder.remove(name) }
            if try self.folder.move(name, to: done, as: name) { return }
            // One of that name is done already, and is kept too.
            _ = try self.folder.move(name, to: done, as: name + Array(".\(Clock.wallNanoseconds())".utf8))
        }
    }

    private func at<Value>(
        _ name: OpenFolder.Name,
        _ work: () throws(SystemError) -> Value
    ) throws(SourceError) -> Value {
        do throws(SystemError) {
            return try work()
        } catch {
            throw SourceError("\(address.shown), file \(ObjectKey.encode(name)): \(error)")
        }
    }
}

/// What the kernel tells, into the queue.
private final class Arrivals: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let pattern: String
    private let bell: Bell
    private let state: FolderSource.Shared

    init(_ pattern: String, _ bell: Bell, _ state: FolderSource.Shared) {
        (self.pattern, self.bell, self.state) = (pattern, bell, state)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // One reading brings whole events.
        let events = FolderArrivals.events(Array(unwrapInboundIn(data).readableBytesView))
        state.value.withLock { state in
            for event in events {
                switch event {
                case .arrived(let name): if OpenFolder.matches(name, pattern) { state.queue.arrived(name) }
                case .overflowed: state.queue.overflowed()
                case .lost: state.isLost = true
                }
            }
        }
        bell.ring()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        state.value.withLock { $0.isLost = true }
        bell.ring()
        context.close(promise: nil)
    }
}
