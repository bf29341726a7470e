import Digests
import Linux

/// Which objects of a bucket are done: a file of the node's, which only grows until it is written anew.
///
/// `thawseen`, then for each object the first 16 bytes of the SHA-256 of its key, its tag and the time of its last change. An entry that
/// was torn by a crash is dropped, and its object comes again.
struct BucketMarker: Sendable {
    typealias Entry = [UInt8]

    private let path: String
    private var file: SharedDescriptor
    private(set) var entries: Set<Entry>
    private var byteCount: Int
    /// There was none: nothing of the bucket was ever looked at.
    let isNew: Bool

    private static let magic = Array("thawseen".utf8)
    static let entryBytes = 16
    /// Entries beside those of objects that still exist, before it is written anew.
    static let spareMax = 10_000

    /// - Throws: where it cannot be read, or is something else.
    init(_ path: String) throws(SourceError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            file = SharedDescriptor(
                try FileDescriptor.open(path, [.readingWriting, .creating], permissions: 0o600)
            )
            bytes = try file.descriptor.readAll()
        } catch {
            throw SourceError("what is done of a bucket cannot be read: \(error)")
        }
        guard bytes.isEmpty || bytes.starts(with: Self.magic) else {
            throw SourceError("\(path) does not say what is done of a bucket; remove it to begin anew")
        }
        let rest = bytes.dropFirst(Self.magic.count)
        let count = rest.count / Self.entryBytes
        entries = Set((0..<count).map { Entry(rest.dropFirst($0 * Self.entryBytes).prefix(Self.entryBytes)) })
        isNew = bytes.isEmpty
        byteCount = bytes.isEmpty ? 0 : Self.magic.count + count * Self.entryBytes
        self.path = path
    }

    static func entry(_ object: BucketListing.Object) throws(SourceError) -> Entry {
        do throws(DigestError) {
            let text = "\(object.key)\0\(object.tag)\0\(object.modified)"
            return Array(try SHA256.digest(of: Array(text.utf8)).prefix(entryBytes))
        } catch {
            throw SourceError("an object cannot be told from others: \(error)")
        }
    }

    /// Returns once they are on the disk.
    mutating func add(_ done: [Entry]) throws(SourceError) {
        let new = done.filter { entries.insert($0).inserted }
        // The first time also where nothing is done: the bucket was looked at.
        let bytes = (byteCount == 0 ? Self.magic : []) + Array(new.joined())
        guard !bytes.isEmpty else { return }
        do throws(SystemError) {
            try file.descriptor.pwrite(bytes, at: byteCount)
            byteCount += bytes.count
            try file.descriptor.syncData()
        } catch {
            throw SourceError("what was done of a bucket cannot be written: \(error)")
        }
    }

    /// Forgets objects that do not exist any more, once they are many.
    mutating func keep(_ existing: Set<Entry>) throws(SourceError) {
        guard entries.count > existing.count + Self.spareMax else { return }
        let kept = entries.intersection(existing)
        do throws(SystemError) {
            let other = try FileDescriptor.open(
                path + ".new",
                [.readingWriting, .creating, .truncating],
                permissions: 0o600
            )
            try other.pwrite(Self.magic + Array(kept.joined()), at: 0)
            try other.sync()
            try Directory.rename(path + ".new", to: path)
            entries = kept
            byteCount = Self.magic.count + kept.count * Self.entryBytes
            file = SharedDescriptor(other)
        } catch {
            throw SourceError("what was done of a bucket cannot be written: \(error)")
        }
    }
}
