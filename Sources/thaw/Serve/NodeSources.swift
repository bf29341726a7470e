import ControlPlane
import Events
import Fleet
import Foundation
import Invoking
import Linux
import Logging
import Manifests
import NIOCore
import Registry

/// How this node reaches the sources of its mappings: what lies in the node itself, and programs for what does not.
struct NodeSources: Sendable {
    let programPath: String
    /// Folders below which folders may be watched.
    let watchable: [String]
    /// Where what is done of buckets is kept.
    let directory: String
    let buckets: BucketClient
    let events: EventRunner
    let queues: ClientQueues
    let plane: ControlPlane
    let group: any EventLoopGroup
    /// The secrets of a function, by name.
    let secrets: @Sendable (_ registryName: String) throws -> [String: String]
    let logger: Logger

    /// Opens the source of a mapping.
    func open(_ mapping: EventSourceMapping) async throws(SourceError) -> any EventSource {
        if let arn = mapping.sourceARN, ClientMessage.queueName(arn: arn) != nil {
            return try await QueueSource(arn: arn, queues: queues)
        }
        guard let address = mapping.sourceAddress else {
            throw SourceError("this node has nothing under the mapping's source", isFinal: true)
        }
        let url = try SourceURL(try filled(address, for: mapping.function))
        switch url.scheme {
        case "file": return try await FolderSource(url, watchable: watchable, on: group.next())
        case "s3": return try await bucket(url, mapping)
        default: break
        }
        let program: LineProgram
        do throws(LineProgramError) {
            program = try await LineProgram.start(programPath, name: "thaw-source", on: group.next(), logger: logger)
        } catch {
            throw SourceError(error.description)
        }
        return try await ProgramSource(url, consumer: mapping.uuid, program: program)
    }

    /// Accepts a batch as an event.
    func accept(_ reference: FunctionReference, _ event: [UInt8], key: String) async -> Bool {
        do {
            _ = try await events.accept(
                reference,
                contentType: "application/json",
                body: event,
                clientContext: "",
                origin: EventRunner.Origin(deduplicationKey: key, trigger: "source")
            )
            return true
        } catch {
            logger.warning(
                "a batch could not be accepted",
                metadata: ["function": "\(reference.name)", "error": "\(error)"]
            )
            return false
        }
    }

    private func bucket(_ url: SourceURL, _ mapping: EventSourceMapping) async throws(SourceError) -> BucketSource {
        do throws(SystemError) {
            try Directory.make(directory, permissions: 0o700)
            // Of mappings that are no more.
            let kept = Set(plane.allMappings().map { $0.uuid + ".seen" })
            for name in try Directory.names(in: directory) where !kept.contains(name) {
                try Directory.unlink(directory + "/" + name)
            }
        } catch {
            throw SourceError("what is done of buckets cannot be kept: \(error)")
        }
        return try await BucketSource(
            url,
            mapping: mapping.uuid,
            markerPath: directory + "/" + mapping.uuid + ".seen",
            on: group.next()
        ) { [buckets] address, path, query throws(SourceError) in
            try await buckets.fetch(address, path, query)
        }
    }

    /// The address with the function's secrets in place of their names: `${NAME}`.
    private func filled(_ address: String, for function: String) throws(SourceError) -> String {
        guard address.contains("${") else { return address }
        let values: [String: String]
        do {
            values = try secrets(plane.find(function)?.registryName ?? function)
        } catch {
            throw SourceError("the secrets of \(function) cannot be read: \(error)")
        }
        var (filled, rest) = ("", address[...])
        while let start = rest.firstRange(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
            let name = String(rest[start.upperBound..<end])
            guard let value = values[name] else {
                throw SourceError("\(function) has no secret \(name); set it: thaw secret set \(function) \(name)")
            }
            filled += rest[..<start.lowerBound] + Self.encoded(value)
            rest = rest[rest.index(after: end)...]
        }
        return filled + rest
    }

    /// So that no character of a secret is read as the URL's.
    private static func encoded(_ value: String) -> String {
        value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    /// Tells a destination, a function of this node, of records that were given up.
    func tell(_ destination: String, _ record: JSONValue) async -> Bool {
        do {
            let reference = try plane.reference(destination)
            _ = try await events.accept(
                reference,
                contentType: "application/json",
                body: record.bytes,
                clientContext: ""
            )
            return true
        } catch {
            logger.warning(
                "a destination could not be told",
                metadata: ["destination": "\(destination)", "error": "\(error)"]
            )
            return false
        }
    }
}

extension ControlPlane {
    /// Makes what a version's manifest says of events and sources.
    ///
    /// - Throws: in a sentence, where it cannot be; the version serves all the same.
    func declareTriggers(of version: FunctionVersion) async throws(DeployFailure) {
        let manifest = version.manifest
        for source in manifest.sources ?? [] {
            for filter in source.filters {
                do throws(FilterPatternError) {
                    _ = try FilterPattern(parsing: filter)
                } catch {
                    throw .invalid(
                        "version \(version.version) serves, but its source \(source.url) is not read: \(error)"
                    )
                }
            }
        }
        do throws(LambdaError) {
            try await declare(manifest)
        } catch {
            throw .storage(
                "version \(version.version) serves, but its events and sources were not set: \(error.message)"
            )
        }
    }
}
