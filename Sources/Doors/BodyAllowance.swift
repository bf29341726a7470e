/// What a body may still be: its size against the limit and its announcement, and its pace.
struct BodyAllowance: Sendable {
    private let bytesMax: Int
    /// What the client announced; nil where the body comes in chunks, or where there is none.
    let bytesAnnounced: Int?
    private var byteCount = 0
    /// When the first piece came.
    private var begin: ContinuousClock.Instant?

    /// - Throws: 413 where the announced size is over `bytesMax`.
    init(bytesAnnounced: Int?, bytesMax: Int) throws(Refusal) {
        guard bytesAnnounced ?? 0 <= bytesMax else { throw .tooLarge(bytesMax: bytesMax) }
        self.bytesAnnounced = bytesAnnounced
        self.bytesMax = bytesMax
    }

    /// Nil without a `Content-Length`; 400 where it is not a number, which NIO's parser refuses before us.
    static func announced(_ text: String?) throws(Refusal) -> Int? {
        guard let text else { return nil }
        guard let count = Int(text), count >= 0 else { throw .badInput("Content-Length is not a size: \(text)") }
        return count
    }

    /// One more piece: 413 where it goes over the limit, 408 where it came too late.
    mutating func take(bytes count: Int) throws(Refusal) {
        // Not over bytesMax before, and a piece is at most the socket's buffer: no overflow.
        byteCount += count
        if byteCount > bytesMax { throw .tooLarge(bytesMax: bytesMax) }
        // A body in one piece, as nearly all are, does not read the clock.
        if byteCount == bytesAnnounced { return }
        let now = ContinuousClock.now
        guard let begin else {
            self.begin = now
            return
        }
        let secondsMax = DoorLimits.bodyGraceSeconds + byteCount / DoorLimits.bodyBytesPerSecondMin
        if now - begin > .seconds(secondsMax) { throw .tooSlow }
    }

    /// The body is said to be over: half a bundle that looks whole would be deployed.
    func end() throws(Refusal) {
        guard byteCount == bytesAnnounced ?? byteCount else { throw .endedEarly }
    }
}
