import Synchronization

/// One line that a function's processes wrote, or that the node wrote about them.
package struct LogLine: Codable, Equatable, Sendable {
    /// RFC 3339 in UTC.
    package var time: String
    package var version: Int
    package var message: String

    package init(time: String, version: Int, message: String) {
        self.time = time
        self.version = version
        self.message = message
    }
}

/// The latest lines of every function, in memory.
package final class FunctionLogs: Sendable {
    /// Lines kept for each function: with lines of 4 KiB at most, 4 MiB.
    ///
    /// Who wants all of them follows.
    package static let linesMax = 1000
    /// Lines that a follower may be behind before the oldest are dropped for it.
    package static let followerLinesMax = 1000

    private struct State {
        var lines: [String: [LogLine]] = [:]
        var followers: [String: [Int: AsyncStream<LogLine>.Continuation]] = [:]
        var lastFollower = 0
    }

    private let state = Mutex(State())

    package init() {}

    package func append(_ line: LogLine, function: String) {
        let followers = state.withLock { state in
            var lines = state.lines.removeValue(forKey: function) ?? []
            // Dropped in halves, so that a full log costs one move in five hundred lines.
            if lines.count >= Self.linesMax { lines.removeFirst(Self.linesMax / 2) }
            lines.append(line)
            state.lines[function] = lines
            return state.followers[function].map { Array($0.values) } ?? []
        }
        for follower in followers {
            follower.yield(line)
        }
    }

    /// The newest lines, oldest first.
    package func lines(function: String, last: Int) -> [LogLine] {
        state.withLock { Array(($0.lines[function] ?? []).suffix(max(last, 0))) }
    }

    /// Lines as they are written, until the reader stops.
    package func follow(function: String) -> AsyncStream<LogLine> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: LogLine.self,
            bufferingPolicy: .bufferingNewest(Self.followerLinesMax)
        )
        let number = state.withLock { state in
            state.lastFollower += 1
            state.followers[function, default: [:]][state.lastFollower] = continuation
            return state.lastFollower
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { $0.followers[function]?[number] = nil }
        }
        return stream
    }
}
