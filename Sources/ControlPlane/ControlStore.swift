import Foundation
import GRDB
import Synchronization

/// What the Lambda API keeps beside the registry, in memory and on the disk.
///
/// Reads answer from memory. A change is written before memory has it, one after the other.
final class ControlStore: Sendable {
    private let database: DatabaseQueue
    private let image: Mutex<Image>

    struct Image: Sendable {
        var functions: [String: LambdaFunction] = [:]
        var mappings: [String: EventSourceMapping] = [:]
        var layers: [String: [LayerVersion]] = [:]
        var uploads: [String: Upload] = [:]
        /// Functions by the registry's name, and by the id of a URL.
        var names: [String: String] = [:]
        var urls: [String: URLTarget] = [:]
    }

    struct Upload: Sendable, Equatable {
        var archive: String
        var byteCount: Int
    }

    init(path: String) throws(ControlStoreError) {
        database = try ControlSchema.open(path)
        do {
            image = Mutex(try database.read { try Image($0) })
        } catch {
            throw ControlStoreError("\(path) cannot be read: \(error)")
        }
    }

    func read<Value>(_ body: (Image) -> Value) -> Value {
        image.withLock { body($0) }
    }

    /// Changes one function; nil means that there is none, before or after.
    func change<Value: Sendable>(
        _ name: String,
        _ body: @escaping @Sendable (inout LambdaFunction?) throws -> Value
    ) async throws(LambdaError) -> Value {
        try await write { database in
            var function = self.read { $0.functions[name] }
            let before = function
            let value = try body(&function)
            guard function != before else { return value }
            if let function {
                try database.execute(
                    sql: "INSERT OR REPLACE INTO functions (name, document) VALUES (?, ?)",
                    arguments: [name, try Self.text(function)]
                )
            } else {
                try database.execute(sql: "DELETE FROM functions WHERE name = ?", arguments: [name])
            }
            self.image.withLock { $0.set(name, function) }
            return value
        }
    }

    func changeMapping<Value: Sendable>(
        _ uuid: String,
        _ body: @escaping @Sendable (inout EventSourceMapping?) throws -> Value
    ) async throws(LambdaError) -> Value {
        try await write { database in
            var mapping = self.read { $0.mappings[uuid] }
            let value = try body(&mapping)
            if let mapping {
                try database.execute(
                    sql: "INSERT OR REPLACE INTO mappings (uuid, document) VALUES (?, ?)",
                    arguments: [uuid, try Self.text(mapping)]
                )
            } else {
                try database.execute(sql: "DELETE FROM mappings WHERE uuid = ?", arguments: [uuid])
            }
            self.image.withLock { $0.mappings[uuid] = mapping }
            return value
        }
    }

    /// Adds a layer's next version; a number is not given twice.
    func addLayer(
        _ name: String,
        _ make: @escaping @Sendable (_ number: Int) -> LayerVersion
    ) async throws(LambdaError) -> LayerVersion {
        try await write { database in
            let sql = "SELECT coalesce(max(number), 0) + 1 FROM layers WHERE name = ?"
            let number = try Int.fetchOne(database, sql: sql, arguments: [name]) ?? 1
            let layer = make(number)
            try database.execute(
                sql: "INSERT INTO layers (name, number, document) VALUES (?, ?, ?)",
                arguments: [name, number, try Self.text(layer)]
            )
            self.image.withLock { $0.layers[name, default: []].append(layer) }
            return layer
        }
    }

    /// - Parameter body: nil afterwards means that the version is gone; its number stays taken.
    func changeLayer<Value: Sendable>(
        _ name: String,
        _ number: Int,
        _ body: @escaping @Sendable (inout LayerVersion?) throws -> Value
    ) async throws(LambdaError) -> Value {
        try await write { database in
            var layer = self.read { $0.layers[name]?.first { $0.number == number } }
            let value = try body(&layer)
            try database.execute(
                sql: "UPDATE layers SET document = ? WHERE name = ? AND number = ?",
                arguments: [try layer.map(Self.text), name, number]
            )
            self.image.withLock { image in
                var versions = (image.layers[name] ?? []).filter { $0.number != number }
                if let layer { versions.append(layer) }
                versions.sort { $0.number < $1.number }
                image.layers[name] = versions.isEmpty ? nil : versions
            }
            return value
        }
    }

    func setUpload(_ key: String, _ upload: Upload?, unixMilliseconds: Int64 = 0) async throws(LambdaError) {
        try await write { database in
            if let upload {
                try database.execute(
                    sql: """
                        INSERT OR REPLACE INTO uploads (key, archive, byteCount, modifiedUnixMilliseconds)
                        VALUES (?, ?, ?, ?)
                        """,
                    arguments: [key, upload.archive, upload.byteCount, unixMilliseconds]
                )
            } else {
                try database.execute(sql: "DELETE FROM uploads WHERE key = ?", arguments: [key])
            }
            self.image.withLock { $0.uploads[key] = upload }
        }
    }

    /// Runs on the database's own queue: one writer at a time, so memory changes in the order of the commits.
    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(LambdaError) -> Value {
        do {
            return try await database.write(body)
        } catch let error as LambdaError {
            throw error
        } catch {
            throw .storage(error)
        }
    }

    private static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// Whose function URL an id is.
package struct URLTarget: Equatable, Sendable {
    package var function: String
    package var qualifier: String?
    package var url: FunctionURL
}

extension ControlStore.Image {
    fileprivate init(_ database: Database) throws {
        let decoder = JSONDecoder()
        for text in try String.fetchAll(database, sql: "SELECT document FROM functions") {
            let function = try decoder.decode(LambdaFunction.self, from: Data(text.utf8))
            set(function.name, function)
        }
        for text in try String.fetchAll(database, sql: "SELECT document FROM mappings") {
            let mapping = try decoder.decode(EventSourceMapping.self, from: Data(text.utf8))
            mappings[mapping.uuid] = mapping
        }
        let layers = "SELECT document FROM layers WHERE document IS NOT NULL ORDER BY name, number"
        for text in try String.fetchAll(database, sql: layers) {
            let layer = try decoder.decode(LayerVersion.self, from: Data(text.utf8))
            self.layers[layer.name, default: []].append(layer)
        }
        for row in try Row.fetchAll(database, sql: "SELECT key, archive, byteCount FROM uploads") {
            uploads[row["key"]] = ControlStore.Upload(archive: row["archive"], byteCount: row["byteCount"])
        }
    }

    fileprivate mutating func set(_ name: String, _ function: LambdaFunction?) {
        if let old = functions[name] {
            names[old.registryName] = nil
            for url in old.urls.values { urls[url.id] = nil }
        }
        functions[name] = function
        guard let function else { return }
        names[function.registryName] = name
        for (qualifier, url) in function.urls {
            urls[url.id] = URLTarget(
                function: name,
                qualifier: qualifier.isEmpty ? nil : qualifier,
                url: url
            )
        }
    }

    /// Archives that something refers to.
    var archives: Set<String> {
        var archives = Set(uploads.values.map(\.archive))
        for function in functions.values { archives.formUnion(function.archives) }
        for layer in layers.values.joined() { archives.insert(layer.archive) }
        return archives
    }
}
