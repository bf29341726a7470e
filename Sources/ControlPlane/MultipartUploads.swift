import Foundation
package import NIOCore
import Synchronization

/// Why a step of an upload in parts was not taken.
package enum PartRefusal: Error, Equatable, Sendable {
    case noSuchUpload
    case tooMany
    case tooLarge
    case unknownPart(Int)
    case outOfOrder
}

/// Uploads that come in parts and are not complete: in memory, since their parts are swept when a node starts.
struct MultipartUploads: Equatable, Sendable {
    struct Open: Equatable, Sendable {
        var key: String
        var parts: [Int: CodeStore.Part] = [:]
        var touched: Date
    }

    /// As S3 numbers them.
    static let partNumbers = 1...10_000
    /// Far more than clients of one node have under way; each costs a few hundred bytes, and its parts on the disk.
    static let openMax = 256
    /// An upload that nobody touches is abandoned.
    static let idleSecondsMax: TimeInterval = 24 * 3600

    private(set) var open: [String: Open] = [:]

    /// - Returns: parts of abandoned uploads, to be removed.
    mutating func begin(_ id: String, key: String, at now: Date) throws(PartRefusal) -> [CodeStore.Part] {
        let abandoned = open.filter { now.timeIntervalSince($0.value.touched) > Self.idleSecondsMax }
        for id in abandoned.keys { open[id] = nil }
        guard open.count < Self.openMax else { throw .tooMany }
        open[id] = Open(key: key, touched: now)
        return abandoned.values.flatMap(\.parts.values)
    }

    /// - Returns: the bytes that its parts may still have together, that of this number apart.
    func room(in id: String, key: String, number: Int, bytesMax: Int) throws(PartRefusal) -> Int {
        guard let upload = open[id], upload.key == key else { throw .noSuchUpload }
        return bytesMax - upload.parts.reduce(0) { $0 + ($1.key == number ? 0 : $1.value.archive.byteCount) }
    }

    /// - Returns: the part that had this number before.
    mutating func add(
        _ part: CodeStore.Part,
        number: Int,
        to id: String,
        key: String,
        bytesMax: Int,
        at now: Date
    ) throws(PartRefusal) -> CodeStore.Part? {
        // Asked again: others may have come while this one did.
        guard part.archive.byteCount <= (try room(in: id, key: key, number: number, bytesMax: bytesMax)) else {
            throw .tooLarge
        }
        open[id]?.touched = now
        return open[id]?.parts.updateValue(part, forKey: number)
    }

    /// The parts that a client names, in its order.
    func parts(
        of id: String,
        key: String,
        named names: [(number: Int, tag: String)]
    ) throws(PartRefusal) -> [CodeStore.Part] {
        guard let upload = open[id], upload.key == key else { throw .noSuchUpload }
        guard !names.isEmpty, zip(names, names.dropFirst()).allSatisfy({ $0.number < $1.number }) else {
            throw .outOfOrder
        }
        var parts: [CodeStore.Part] = []
        for (number, tag) in names {
            guard let part = upload.parts[number], part.archive.name == tag else { throw .unknownPart(number) }
            parts.append(part)
        }
        return parts
    }

    /// - Returns: its parts, to be removed.
    mutating func end(_ id: String, key: String) throws(PartRefusal) -> [CodeStore.Part] {
        guard let upload = open[id], upload.key == key else { throw .noSuchUpload }
        open[id] = nil
        return Array(upload.parts.values)
    }
}

extension ControlPlane {
    package static let partNumbers = MultipartUploads.partNumbers

    /// - Returns: the upload's id.
    package func beginUpload(_ key: String) throws(PartRefusal) -> String {
        let id = UUID().uuidString.lowercased()
        code.remove(
            try uploads { uploads throws(PartRefusal) in
                try uploads.begin(id, key: key, at: now())
            }
        )
        return id
    }

    /// Takes one part in; a part of a number that was there takes its place.
    ///
    /// - Parameter check: throws where the bytes are not those that were announced.
    package func putPart<Pieces: AsyncSequence & Sendable>(
        _ id: String,
        _ key: String,
        number: Int,
        _ pieces: Pieces,
        bytesMax: Int,
        check: (CodeStore.Archive) throws -> Void
    ) async throws -> CodeStore.Archive where Pieces.Element == ByteBuffer {
        let room = try uploads { uploads throws(PartRefusal) in
            try uploads.room(in: id, key: key, number: number, bytesMax: bytesMax)
        }
        let part = try await code.receivePart(pieces, bytesMax: room)
        do {
            try check(part.archive)
            let replaced = try uploads { uploads throws(PartRefusal) in
                try uploads.add(part, number: number, to: id, key: key, bytesMax: bytesMax, at: now())
            }
            if let replaced { code.remove([replaced]) }
        } catch {
            code.remove([part])
            throw error
        }
        return part.archive
    }

    /// Makes the upload of its parts; it is there like one that came as a whole.
    package func completeUpload(
        _ id: String,
        _ key: String,
        parts names: [(number: Int, tag: String)],
        bytesMax: Int
    ) async throws -> CodeStore.Archive {
        let parts = try uploads { uploads throws(PartRefusal) in
            try uploads.parts(of: id, key: key, named: names)
        }
        let archive = try await code.assemble(parts, bytesMax: bytesMax)
        try await setUpload(key, archive)
        try abortUpload(id, key)
        return archive
    }

    package func abortUpload(_ id: String, _ key: String) throws(PartRefusal) {
        code.remove(try uploads { uploads throws(PartRefusal) in try uploads.end(id, key: key) })
    }

    private func uploads<Value>(
        _ act: (inout MultipartUploads) throws(PartRefusal) -> Value
    ) throws(PartRefusal) -> Value {
        try multipart.withLock { uploads throws(PartRefusal) in try act(&uploads) }
    }
}
