import HTTPTypes
import Invoking
import Metering
import NIOCore
import Scheduling
import Wire

/// The bytes of a reply to an invocation: written once, straight into the buffer that the socket gets.
enum InvocationReply {
    /// A body up to this size is copied behind its head, so that both are one write; 4 KiB are copied in 0.1 µs.
    static let inlineBytesMax = 4096

    static let interimContinue: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"

    /// Writes the reply, or all but its body.
    ///
    /// - Returns: the body where it is too large to be copied.
    static func write(
        _ completion: Completion,
        _ dialect: ErrorDialect,
        isLast: Bool,
        date: String,
        to output: inout ByteBuffer
    ) -> ByteBuffer? {
        switch completion.result {
        case .success(let reply):
            output.writeStaticString("HTTP/1.1 200 OK\r\nContent-Type: ")
            writeType(of: reply, completion, dialect, to: &output)
            output.writeStaticString("\r\nContent-Length: ")
            output.writeDecimal(UInt64(reply.body.readableBytes))
            writeTrace(completion, to: &output)
            writeEnd(isLast: isLast, date: date, to: &output)
            guard reply.body.readableBytes <= inlineBytesMax else { return reply.body }
            output.writeImmutableBuffer(reply.body)
        case .failure(let failure):
            var refusal = Replies.refusal(for: failure)
            refusal.invocation = completion.id.description
            let document = writeHead(of: dialect.translated(refusal), dialect, to: &output)
            writeTrace(completion, to: &output)
            writeEnd(isLast: isLast, date: date, to: &output)
            output.writeImmutableBuffer(document)
        }
        return nil
    }

    /// Writes the head of a reply whose body comes over time.
    static func writeStreamHead(
        _ id: InvocationID,
        _ contentType: String,
        isLast: Bool,
        date: String,
        to output: inout ByteBuffer
    ) {
        output.writeStaticString("HTTP/1.1 200 OK\r\nContent-Type: ")
        output.writeFieldValue(contentType)
        output.writeStaticString("\r\nTransfer-Encoding: chunked\r\nThaw-Invocation-Id: ")
        output.writeWithOutputRawSpan(minimumWritableBytes: 36) { id.write(to: &$0) }
        writeEnd(isLast: isLast, date: date, to: &output)
    }

    /// Writes the refusal of a request that did not become a call.
    static func write(
        _ refusal: Refusal,
        _ dialect: ErrorDialect,
        isLast: Bool,
        date: String,
        to output: inout ByteBuffer
    ) {
        let document = writeHead(of: dialect.translated(refusal), dialect, to: &output)
        writeEnd(isLast: isLast, date: date, to: &output)
        output.writeImmutableBuffer(document)
    }

    /// The content type, and the headers that a protocol adds to a success.
    private static func writeType(
        of reply: Reply,
        _ completion: Completion,
        _ dialect: ErrorDialect,
        to output: inout ByteBuffer
    ) {
        if dialect == .openInference, let count = InferenceReplyType.jsonByteCount(of: reply.contentType),
            count <= reply.body.readableBytes
        {
            output.writeStaticString("application/octet-stream\r\nInference-Header-Content-Length: ")
            output.writeDecimal(UInt64(count))
            return
        }
        output.writeFieldValue(reply.contentType)
        guard dialect == .openAI else { return }
        output.writeStaticString("\r\nx-request-id: ")
        output.writeString(completion.id.description)
    }

    /// - Returns: the body.
    private static func writeHead(
        of refusal: Refusal,
        _ dialect: ErrorDialect,
        to output: inout ByteBuffer
    ) -> ByteBuffer {
        let document = dialect.document(refusal)
        output.writeString("HTTP/1.1 \(refusal.status.code) \(refusal.status.reasonPhrase)\r\n")
        for field in refusal.headers {
            output.writeString("\(field.name.rawName): \(field.value)\r\n")
        }
        output.writeStaticString("Content-Type: application/json\r\nContent-Length: ")
        output.writeDecimal(UInt64(document.readableBytes))
        return document
    }

    /// The call's id and where its time went.
    private static func writeTrace(_ completion: Completion, to output: inout ByteBuffer) {
        output.writeStaticString("\r\nThaw-Invocation-Id: ")
        output.writeWithOutputRawSpan(minimumWritableBytes: 36) { completion.id.write(to: &$0) }
        guard let start = completion.start else { return }
        output.writeStaticString("\r\nThaw-Start: ")
        output.writeString(start.rawValue)
        output.writeStaticString("\r\nServer-Timing: ")
        ServerTiming.write(
            queueNanoseconds: completion.queueNanoseconds,
            bindNanoseconds: completion.bindNanoseconds,
            runNanoseconds: completion.runNanoseconds,
            to: &output
        )
    }

    private static func writeEnd(isLast: Bool, date: String, to output: inout ByteBuffer) {
        output.writeStaticString("\r\nDate: ")
        output.writeString(date)
        output.writeStaticString(isLast ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n")
    }
}

extension ByteBuffer {
    /// A value that a worker chose: a byte that would end the field, or that no field may hold, becomes a space.
    fileprivate mutating func writeFieldValue(_ value: String) {
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            writeBytes(value.utf8.map { $0 >= 0x20 && $0 != 0x7F ? $0 : 0x20 })
            return
        }
        writeString(value)
    }

    /// Decimal digits, without a string on the way.
    ///
    /// - Parameter digitsMin: zeros stand before a shorter number; at most 20.
    mutating func writeDecimal(_ number: UInt64, digitsMin: Int = 1) {
        writeWithOutputRawSpan(minimumWritableBytes: 20) { text in
            // The largest has 20 digits, and the last comes first.
            var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
            var place = 20
            var rest = number
            repeat {
                place -= 1
                digits[place] += UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            for index in min(place, 20 - digitsMin)..<20 { text.append(digits[index]) }
        }
    }
}
