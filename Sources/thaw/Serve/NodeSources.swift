import ControlPlane
import Events
import Fleet
import Logging
import NIOCore

/// How this node reaches the sources of its mappings: what lies in the node itself, and programs for what does not.
struct NodeSources: Sendable {
    let programPath: String
    let events: EventRunner
    let plane: ControlPlane
    let group: any EventLoopGroup
    let logger: Logger

    /// Opens the source of a mapping.
    func open(_ mapping: EventSourceMapping) async throws(SourceError) -> any EventSource {
        guard let address = mapping.sourceAddress else {
            throw SourceError("this node has nothing under the mapping's source", isFinal: true)
        }
        let url = try SourceURL(address)
        let program: LineProgram
        do throws(LineProgramError) {
            program = try await LineProgram.start(programPath, name: "thaw-source", on: group.next(), logger: logger)
        } catch {
            throw SourceError(error.description)
        }
        return try await ProgramSource(url, consumer: mapping.uuid, program: program)
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
