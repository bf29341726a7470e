/// The frames between the scheduler and one worker, records of the two rings that they share.
///
/// ```
///  0        4      5      6        8                16
///  ┌────────┬──────┬──────┬────────┬────────────────┬─────────────┐
///  │ length │ kind │  0   │  code  │   invocation   │ payload …   │   little-endian
///  └────────┴──────┴──────┴────────┴────────────────┴─────────────┘
/// scheduler → worker   open(head) chunk* close          · cancel · credit(bytes)
/// worker → scheduler   ready, then per call: open(head) chunk* close | close(code ≠ 0, message)
/// ```
/// `invocation` numbers the calls of one channel from 1, so that several may be in flight. A frame is published whole,
/// and one call's frames follow one another. The `code` of the scheduler's `open` says how many calls follow that are to
/// be run together with this one.
package struct FrameHeader: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        /// Sent once by a worker that has entered its sandbox.
        case ready = 1
        /// Starts a call or a reply; the payload is a ``CallHead`` or a ``ReplyHead``.
        case open = 2
        /// A piece of the body.
        case chunk = 3
        /// Ends the body. From a worker with `code` ≠ 0: the call failed, the payload says why.
        case close = 4
        /// The caller has gone; what is still sent for this invocation is dropped.
        case cancel = 5
        /// The receiver of a reply takes this many bytes more; the payload is one `UInt32`.
        case credit = 6
    }

    package static let byteCount = 16

    package var kind: Kind
    package var code: UInt16
    package var invocation: UInt64
    package var payloadCount: Int

    package init(_ kind: Kind, code: UInt16 = 0, invocation: UInt64, payloadCount: Int) {
        precondition(payloadCount <= WireLimits.framePayloadBytesMax, "a frame of ours is within the limit")
        self.kind = kind
        self.code = code
        self.invocation = invocation
        self.payloadCount = payloadCount
    }

    /// The header as it stands in a ring: two little-endian words.
    package var words: (UInt64, UInt64) {
        (UInt64(payloadCount) | UInt64(kind.rawValue) << 32 | UInt64(code) << 48, invocation)
    }

    package init(words: (UInt64, UInt64)) throws(WireError) {
        let length = UInt32(truncatingIfNeeded: words.0)
        let kind = UInt8(truncatingIfNeeded: words.0 >> 32)
        let reserved = UInt8(truncatingIfNeeded: words.0 >> 40)
        guard let known = Kind(rawValue: kind) else { throw .unknownKind(kind) }
        guard reserved == 0 else { throw .unknownKind(reserved) }
        guard length <= WireLimits.framePayloadBytesMax else { throw .tooLong(Int(length)) }
        self.kind = known
        code = UInt16(truncatingIfNeeded: words.0 >> 48)
        invocation = words.1
        payloadCount = Int(length)
    }
}

/// Why a worker ended a call without a reply; travels as the `code` of its `close`.
package enum WorkerFailureCode: UInt16, Sendable, CaseIterable {
    /// The caller's input was wrong; the message says what was expected. The door answers 400.
    case badInput = 1
    /// The body was longer than the function accepts. The door answers 413.
    case tooLarge = 2
    /// The model could not be run on well-formed input: a defect of the function. The door answers 500.
    case model = 3
    /// As `badInput`; the first line of the message is an ``InputFault``, the rest the sentence.
    case badPart = 4
    /// The function's own program said that it failed; the message is its JSON, `{"errorMessage", "errorType", …}`. The own
    /// door answers 502.
    case function = 5
}

/// What a call brings besides its body.
package struct CallHead: Equatable, Sendable {
    /// Bytes of the body that follows.
    package var bodyCount: UInt32
    package var contentType: String
    package var form: CallForm

    package init(bodyCount: UInt32, contentType: String, form: CallForm = .own) {
        self.bodyCount = bodyCount
        self.contentType = contentType
        self.form = form
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(bodyCount)
        writer.append(text: contentType)
        form.write(to: &writer)
        return writer.bytes
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        bodyCount = try reader.read(UInt32.self)
        contentType = try reader.readText(countMax: WireLimits.contentTypeBytesMax)
        form = try CallForm(reading: &reader)
        try reader.finish()
    }
}

/// What a reply brings besides its body.
package struct ReplyHead: Equatable, Sendable {
    package var contentType: String
    /// Whether the body comes over time, and a reader wants each piece as it comes.
    package var isStreamed: Bool

    package init(contentType: String, isStreamed: Bool = false) {
        self.contentType = contentType
        self.isStreamed = isStreamed
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(UInt8(isStreamed ? 1 : 0))
        writer.append(text: contentType)
        return writer.bytes
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        let flags = try reader.read(UInt8.self)
        guard flags <= 1 else { throw .unknownKind(flags) }
        isStreamed = flags == 1
        contentType = try reader.readText(countMax: WireLimits.contentTypeBytesMax)
        try reader.finish()
    }
}
