import ControlPlane
package import Fleet

/// A broker behind a program of its own (`thaw-source`): requests and answers are lines of JSON.
package struct ProgramSource: EventSource {
    package let kind: SourceKind
    private let program: LineProgram

    /// Opens the source at `url`.
    ///
    /// - Parameter consumer: names the mapping to brokers that keep something for each of their readers; the same after a restart.
    package init(_ url: SourceURL, consumer: String, program: LineProgram) async throws(SourceError) {
        self.program = program
        let answer: JSONValue
        do throws(SourceError) {
            answer = try await Self.ask(program, ["open": url.order(consumer: consumer)])
        } catch {
            await program.close()
            throw error
        }
        guard let opened = answer["opened"], let name = opened["name"]?.text,
            let payloadKey = opened["payloadKey"]?.text
        else {
            await program.close()
            throw SourceError("\(url.shown): the source's program answered something else")
        }
        let frame = opened["frame"]?.members ?? [:]
        let isGrouped = opened["isGrouped"]?.bool ?? false
        kind = SourceKind(
            name: name,
            isStream: opened["isStream"]?.bool ?? false,
            payloadKey: payloadKey,
            isPayloadBase64: opened["isPayloadBase64"]?.bool ?? false
        ) { records in
            guard isGrouped else {
                return .object(frame.merging(["Records": .array(records.map(\.document))]) { $1 })
            }
            let groups = Dictionary(grouping: records) { $0.group ?? "" }.mapValues {
                JSONValue.array($0.map(\.document))
            }
            return .object(frame.merging(["records": .object(groups)]) { $1 })
        }
    }

    package func take(_ countMax: Int, waitMilliseconds: Int64?) async throws(SourceError) -> [SourceRecord] {
        let answer = try await ask(
            .present(["take": .integer(countMax), "wait": waitMilliseconds.map { .integer(Int($0)) }])
        )
        return (answer["records"]?.elements ?? []).compactMap(SourceRecord.init)
    }

    package func settle(_ records: [SourceRecord]) async throws(SourceError) {
        _ = try await ask(["settle": .texts(records.map(\.handle))])
    }

    package func putBack(_ records: [SourceRecord], afterMilliseconds: Int64) async throws(SourceError) {
        _ = try await ask(["putBack": .texts(records.map(\.handle)), "after": .integer(Int(afterMilliseconds))])
    }

    package func lag() async -> Int? {
        do throws(SourceError) {
            return try await ask(["lag": true])["lag"]?.integer
        } catch {
            return nil
        }
    }

    package func close() async { await program.close() }

    private func ask(_ request: JSONValue) async throws(SourceError) -> JSONValue {
        try await Self.ask(program, request)
    }

    private static func ask(_ program: LineProgram, _ request: JSONValue) async throws(SourceError) -> JSONValue {
        let line: [UInt8]
        do throws(LineProgramError) {
            line = try await program.ask { number in
                guard case .object(var members) = request else { return [] }
                members["n"] = .integer(number)
                return JSONValue.object(members).bytes
            }
        } catch {
            throw SourceError(error.description)
        }
        guard let answer = JSONValue(parsing: line) else { throw SourceError("a source's answer is not JSON") }
        if let message = answer["error"]?.text {
            throw SourceError(message, isFinal: answer["isFinal"]?.bool ?? false)
        }
        return answer
    }
}

extension SourceRecord {
    fileprivate init?(_ answer: JSONValue) {
        guard let id = answer["id"]?.text, let handle = answer["handle"]?.text, let document = answer["document"] else {
            return nil
        }
        self.init(
            id: id,
            document: document,
            byteCount: document.bytes.count,
            acceptedUnixMilliseconds: Int64(answer["at"]?.integer ?? 0),
            deliveryCount: answer["deliveries"]?.integer ?? 1,
            group: answer["group"]?.text,
            handle: handle
        )
    }
}
