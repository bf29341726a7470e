import Foundation
import Queues

/// A folder with a store, gone after the test.
enum StoreFolder {
    static func with(_ body: (_ store: MessageStore, _ path: String) async throws -> Void) async throws {
        try await withPath { path in try await body(try MessageStore(path: path), path) }
    }

    static func withPath(_ body: (_ path: String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/queues-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(directory + "/events.sqlite")
    }

    /// The files as a power cut would leave them now, opened as the next process does.
    static func copy(_ path: String, cuttingLogTo logBytes: Int? = nil) throws -> String {
        let copy = path + "-" + UUID().uuidString
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
        }
        if let logBytes {
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: copy + "-wal"))
            try handle.truncate(atOffset: UInt64(logBytes))
            try handle.close()
        }
        return copy
    }

    static func byteCount(_ path: String) throws -> Int {
        (try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? 0
    }

    static func draft(_ text: String, group: String? = nil, key: String? = nil) -> MessageDraft {
        MessageDraft(body: Array(text.utf8), groupKey: group, deduplicationKey: key)
    }
}

extension Message {
    var text: String { String(decoding: body, as: UTF8.self) }
}
