import JSON
import Linux

/// Reads the scheduler's requests, asks the broker, answers.
///
/// One thread; it sleeps until either has something.
struct SourceLoop: ~Copyable {
    private let input: FileDescriptor
    private let output: FileDescriptor
    private let poll: EventPoll
    private var lines = LineBuffer()
    private var broker: (any Broker)?
    /// The descriptor of the broker that is watched.
    private var watched: Int32 = -1
    private var waiting: Take?

    /// A request for records that is not answered yet.
    private struct Take {
        let number: Int64
        let countMax: Int
        let deadlineNanoseconds: UInt64?
    }

    private static let inputToken: UInt64 = 0
    private static let brokerToken: UInt64 = 1
    private static let attentionToken: UInt64 = 2

    init() throws(SystemError) {
        let poll = try EventPoll()
        try poll.add(number: 0, token: Self.inputToken)
        self.poll = poll
        input = FileDescriptor(owning: 0)
        output = FileDescriptor(owning: 1)
    }

    mutating func run() throws(SystemError) {
        while true {
            let events = try poll.wait(timeoutMilliseconds: timeout())
            if events.contains(where: { $0.token == Self.inputToken }) {
                let bytes = try input.read(countMax: 64 * 1024)
                // The scheduler is gone; whatever is not settled comes again.
                if bytes.isEmpty { return }
                for line in lines.append(bytes) { try answer(line) }
            }
            broker?.tend()
            try takeIfAny()
        }
    }

    /// Until the request for records is over or the broker wants to be looked after.
    private func timeout() -> Int? {
        var timeout = broker?.attentionMilliseconds
        if waiting != nil, let soon = broker?.milliseconds { timeout = min(timeout ?? soon, soon) }
        if let deadline = waiting?.deadlineNanoseconds {
            let now = Clock.monotonicNanoseconds()
            let rest = deadline > now ? Int((deadline - now) / 1_000_000) + 1 : 0
            timeout = min(timeout ?? rest, rest)
        }
        return timeout
    }

    // MARK: Requests

    private mutating func answer(_ line: [UInt8]) throws(SystemError) {
        guard let request = try? JSON.parse(line), let number = request["n"]?.integerValue else {
            CurrentProcess.log(Array("thaw-source: a request that is not understood\n".utf8))
            CurrentProcess.exit(1)
        }
        do throws(BrokerError) {
            if let address = request["open"] {
                let broker = try Brokers.open(try BrokerAddress(address))
                self.broker = broker
                try attend(broker.attention)
                try say(number) { (answer) throws(BrokerError) in try answer.opened(broker.kind) }
            } else if let count = request["take"]?.integerValue {
                let wait = request["wait"]?.integerValue
                waiting = Take(
                    number: number,
                    countMax: Int(clamping: max(count, 1)),
                    deadlineNanoseconds: wait.map { Clock.monotonicNanoseconds() + UInt64(max($0, 0)) * 1_000_000 }
                )
            } else if let handles = request["settle"] {
                try opened().settle(handles.strings)
                try say(number) { $0.done() }
            } else if let handles = request["putBack"] {
                try opened().putBack(handles.strings, afterMilliseconds: Int(request["after"]?.integerValue ?? 0))
                try say(number) { $0.done() }
            } else {
                let lag = try opened().lag()
                try say(number) { $0.lag(lag) }
            }
        } catch {
            try fail(number, error)
        }
    }

    private func opened() throws(BrokerError) -> any Broker {
        guard let broker else { throw BrokerError("asked before it was opened", isFinal: true) }
        return broker
    }

    private mutating func takeIfAny() throws(SystemError) {
        guard let take = waiting, let broker else {
            try watch(-1)
            return
        }
        do throws(BrokerError) {
            let records = try broker.receive(take.countMax)
            let isOver = take.deadlineNanoseconds.map { Clock.monotonicNanoseconds() >= $0 } ?? false
            if !records.isEmpty || isOver {
                waiting = nil
                try say(take.number) { (answer) throws(BrokerError) in try answer.records(records) }
            }
        } catch {
            waiting = nil
            try fail(take.number, error)
        }
        // A broker that is not asked may have as much as it likes to say.
        try watch(waiting == nil ? -1 : broker.descriptor)
    }

    private mutating func watch(_ descriptor: Int32) throws(SystemError) {
        guard descriptor != watched else { return }
        if watched >= 0 { poll.forget(watched) }
        if descriptor >= 0 { try poll.add(number: descriptor, token: Self.brokerToken) }
        watched = descriptor
    }

    /// Watches what a broker wants to be looked after for, from now on.
    private func attend(_ descriptor: Int32) throws(BrokerError) {
        guard descriptor >= 0 else { return }
        do throws(SystemError) {
            try poll.add(number: descriptor, token: Self.attentionToken)
        } catch {
            throw BrokerError("a broker's descriptor cannot be watched: \(error)")
        }
    }

    // MARK: Answers

    private func say(
        _ number: Int64,
        _ write: (inout AnswerWriter) throws(BrokerError) -> Void
    ) throws(BrokerError) {
        var answer = AnswerWriter(number)
        try write(&answer)
        do throws(SystemError) {
            try output.writeAll(answer.line())
        } catch {
            // Nobody listens any more.
            CurrentProcess.exit(0)
        }
    }

    private func fail(_ number: Int64, _ error: BrokerError) throws(SystemError) {
        var answer = AnswerWriter(number)
        answer.failed(error)
        try output.writeAll(answer.line())
    }
}

extension JSON {
    fileprivate var strings: [String] { (arrayValue ?? []).compactMap(\.stringValue) }
}
