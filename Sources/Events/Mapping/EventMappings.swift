package import ControlPlane
import Digests
import Foundation
package import Logging
package import NIOCore
import Synchronization

/// Every mapping of the node that has a source: one runner each, from when it is enabled until it is not.
///
/// A node without mappings has nothing here: no task, no timer, no program.
package final class EventMappings: Sendable {
    /// Opens the source of a mapping.
    package typealias Open =
        @Sendable (_ mapping: EventSourceMapping) async throws(SourceError) -> any EventSource
    /// Tells a mapping's destination, an ARN, of what was given up; false where it cannot be told now.
    package typealias Tell = @Sendable (_ destination: String, _ record: JSONValue) async -> Bool
    /// Accepts a batch as an event of its own, once for each key; false where it cannot be accepted now.
    package typealias Accept =
        @Sendable (_ reference: FunctionReference, _ event: [UInt8], _ key: String) async -> Bool

    private let plane: ControlPlane
    private let caller: FunctionCaller
    private let loop: any EventLoop
    private let open: Open
    private let tell: Tell
    private let accept: Accept
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var isStopped = false
        var running: [String: Running] = [:]
    }

    private struct Running {
        let mapping: EventSourceMapping
        let runner: MappingRunner
        let task: Task<Void, Never>
    }

    package init(
        plane: ControlPlane,
        caller: FunctionCaller,
        loop: any EventLoop,
        logger: Logger,
        open: @escaping Open,
        tell: @escaping Tell,
        accept: @escaping Accept
    ) {
        self.plane = plane
        self.caller = caller
        self.loop = loop
        self.open = open
        self.tell = tell
        self.accept = accept
        self.logger = logger
    }

    /// Starts what is enabled and does not run, ends what runs and is not: after a start, and after every change of a mapping.
    package func reconcile() {
        let wanted = plane.allMappings().filter(\.isEnabled)
        let ended = state.withLock { state -> [Running] in
            guard !state.isStopped else { return [] }
            let kept = Dictionary(wanted.map { ($0.uuid, $0) }) { $1 }
            let ended = state.running.values.filter { kept[$0.mapping.uuid]?.settings != $0.mapping.settings }
            for running in ended { state.running[running.mapping.uuid] = nil }
            for mapping in wanted where state.running[mapping.uuid] == nil {
                // One that takes another's place begins when that one is done with the source.
                let before = ended.first { $0.mapping.uuid == mapping.uuid }?.task
                let runner = runner(mapping)
                let task = Task {
                    await before?.value
                    await runner.run()
                }
                state.running[mapping.uuid] = Running(mapping: mapping, runner: runner, task: task)
            }
            return ended
        }
        for running in ended { running.task.cancel() }
    }

    /// One mapping as people are shown it.
    package struct Report: Sendable {
        package var mapping: EventSourceMapping
        /// Nil where it is not enabled.
        package var status: MappingRunner.Status?
        /// Records that wait in the source; nil where nobody knows.
        package var lag: Int?
    }

    /// How all mappings fare, by their functions' names; sources are asked for their lag.
    package func reports() async -> [Report] {
        var reports: [Report] = []
        for mapping in plane.allMappings().sorted(by: { ($0.function, $0.uuid) < ($1.function, $1.uuid) }) {
            let runner = state.withLock { $0.running[mapping.uuid]?.runner }
            reports.append(Report(mapping: mapping, status: runner?.status, lag: await runner?.lag()))
        }
        return reports
    }

    /// Ends all of them; what was not settled comes again with the next start.
    package func stop() async {
        let running = state.withLock { state -> [Running] in
            state.isStopped = true
            defer { state.running = [:] }
            return Array(state.running.values)
        }
        for one in running { one.task.cancel() }
        for one in running { await one.task.value }
    }

    private func runner(_ mapping: EventSourceMapping) -> MappingRunner {
        let reference = FunctionReference(name: mapping.function, qualifier: mapping.qualifier)
        var named = logger
        named[metadataKey: "mapping"] = "\(mapping.uuid)"
        named[metadataKey: "function"] = "\(mapping.function)"
        let (open, tell, accept, caller, loop, plane, logger) = (open, tell, accept, caller, loop, plane, named)
        return MappingRunner(
            settings: { kind throws(FilterPatternError) in try MappingSettings(mapping.settings, kind: kind) },
            in: MappingRunner.Surroundings(
                open: { () async throws(SourceError) in try await open(mapping) },
                call: { event, _ in
                    if mapping.deliversEvents {
                        let key = "\(mapping.uuid) \(event.sha256 ?? "")"
                        return await accept(reference, event, key) ? .succeeded(body: []) : .throttled
                    }
                    let (outcome, _) = await caller.call(reference, body: event)
                    // What may not run now is not the records' fault.
                    return outcome == .stopped ? .throttled : outcome
                },
                giveUp: { given in
                    let settings = mapping.settings
                    guard let destination = settings["DestinationConfig"]?["OnFailure"]?["Destination"]?.text else {
                        logger.warning("records are given up", metadata: ["count": "\(given.records.count)"])
                        return true
                    }
                    let source = mapping.sourceARN ?? mapping.uuid
                    let arn = plane.account.functionARN(mapping.function, mapping.qualifier ?? "$LATEST")
                    return await tell(destination, given.document(source: source, functionARN: arn))
                },
                pause: { milliseconds in await LoopWait().wait(milliseconds: milliseconds, on: loop) },
                unixMilliseconds: { Int64(Date.now.timeIntervalSince1970 * 1000) },
                logger: logger
            )
        )
    }
}

extension MappingRunner.GivenUp {
    /// In the shape that failures of streams have.
    func document(source: String, functionARN: String) -> JSONValue {
        var response: JSONValue?
        if case .failed = outcome {
            response = ["statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"]
        }
        return .present([
            "version": "1.0",
            "timestamp": .text(Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
            "requestContext": [
                "functionArn": .text(functionARN),
                "condition": .text(condition),
                "approximateInvokeCount": .integer(attempts),
            ],
            "responseContext": response,
            "sourceInfo": .present([
                "eventSourceArn": .text(source),
                "batchSize": .integer(records.count),
                "firstRecord": (records.first?.id).map { .text($0) },
                "lastRecord": (records.last?.id).map { .text($0) },
            ]),
            // Whoever reads it has the records at hand: the source may have dropped them by then.
            "records": .array(records.map(\.document)),
        ])
    }
}

extension EventSourceMapping {
    /// Its batches are accepted as events, with the retries and destinations of those; otherwise they are calls that it waits for.
    fileprivate var deliversEvents: Bool {
        guard let address = sourceAddress, let url = try? SourceURL(address) else { return false }
        return url["deliver"] == "event"
    }
}

extension [UInt8] {
    fileprivate var sha256: String? { (try? SHA256.digest(of: self)).map(Hexadecimal.text) }
}
