import JSON
import Linux
import Serving
import Wire

/// The socket on which one Python worker is given its calls, one at a time.
final class CallSocket {
    private static let readBytesMax = 256 * 1024
    private static let contentTypeDefault = "application/json"

    private let socket: SharedDescriptor
    private var reader = CallFrameReader()

    /// The program has ended or broke the contract: so does the worker.
    private enum Failure: Error {
        case ended
        case contract(String)
    }

    /// - Parameter socket: whose reading side ends when the program has, though a child of that may hold the other end.
    init(_ socket: SharedDescriptor) {
        self.socket = socket
    }

    func run(
        _ call: LambdaCall,
        _ request: CallRequest,
        _ life: ProgramLife,
        _ caller: (OutgoingCall) -> OutgoingReply
    ) throws(CallFailure) -> CallReply {
        do throws(Failure) {
            try send(CallFrame.invocation(Self.head(call, request), request.body))
        } catch {
            end(life, error, during: call.id)
        }
        var contentType = Self.contentTypeDefault
        var body: [UInt8] = []
        var isTooLarge = false
        while true {
            let frame = next(life, call.id)
            switch frame.kind {
            case .contentType:
                contentType = Self.text(frame.payload) ?? contentType
            case .stream:
                let type = Self.text(frame.payload) ?? contentType
                return CallReply(contentType: type, body: []) { () throws(CallFailure) in
                    try self.nextPiece(life, call.id)
                }
            case .chunk:
                isTooLarge = isTooLarge || body.count + frame.payload.count > RuntimeServer.replyBytesMax
                if body.isEmpty { body = frame.payload } else if !isTooLarge { body.append(contentsOf: frame.payload) }
            case .done where isTooLarge:
                throw ErrorDocument.tooLarge.failure
            case .done:
                return CallReply(contentType: contentType, body: body)
            case .error:
                let document = ErrorDocument(body: frame.payload, type: nil)
                // It said that it exits: no further call shall find it on its way out.
                if document.type == "Runtime.ExitError" { life.end(saying: document.sentence) }
                throw document.failure
            case .nested:
                answer(frame, life, call.id, caller)
            case .hello, .invoke, .answer:
                end(life, .contract("a \(frame.kind) frame in the middle of a call"), during: call.id)
            }
        }
    }

    private func nextPiece(_ life: ProgramLife, _ id: String) throws(CallFailure) -> [UInt8]? {
        while true {
            let frame = next(life, id)
            switch frame.kind {
            case .chunk where frame.payload.isEmpty: continue
            case .chunk: return frame.payload
            case .done: return nil
            case .error: throw ErrorDocument(body: frame.payload, type: nil).failure
            case .nested:
                answer(frame, life, id) { _ in
                    .failure(.refused, message: "other functions are called before the first piece of a stream")
                }
            case .contentType, .stream, .hello, .invoke, .answer:
                end(life, .contract("a \(frame.kind) frame in the middle of a reply"), during: id)
            }
        }
    }

    /// Makes the call of another function that the program asks for, and tells it what came of it.
    private func answer(
        _ frame: CallFrame,
        _ life: ProgramLife,
        _ id: String,
        _ caller: (OutgoingCall) -> OutgoingReply
    ) {
        do throws(Failure) {
            let call: OutgoingCall
            do throws(CallFrameError) {
                call = try CallFrame.outgoing(frame.payload)
            } catch {
                throw .contract(error.problem)
            }
            guard let bytes = CallFrame.answer(caller(call)) else { return }
            try send(bytes)
        } catch {
            end(life, error, during: id)
        }
    }

    private func next(_ life: ProgramLife, _ id: String) -> CallFrame {
        do throws(Failure) {
            while true {
                do throws(CallFrameError) {
                    if let frame = try reader.next() { return frame }
                } catch {
                    throw .contract(error.problem)
                }
                try read()
            }
        } catch {
            end(life, error, during: id)
        }
    }

    private func read() throws(Failure) {
        guard let bytes = try? socket.descriptor.read(countMax: Self.readBytesMax), !bytes.isEmpty else { throw .ended }
        reader.append(bytes)
    }

    private func send(_ bytes: [UInt8]) throws(Failure) {
        do throws(SystemError) {
            try socket.descriptor.writeAll(bytes)
        } catch {
            throw .ended
        }
    }

    private func end(_ life: ProgramLife, _ failure: Failure, during id: String) -> Never {
        switch failure {
        case .ended: life.end(during: id)
        case .contract(let problem): life.end(saying: "Runtime.Unknown: the program sent \(problem)")
        }
    }

    private static func text(_ bytes: [UInt8]) -> String? {
        guard bytes.count <= WireLimits.contentTypeBytesMax, !bytes.isEmpty else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func head(_ call: LambdaCall, _ request: CallRequest) -> [UInt8] {
        var writer = JSONWriter(reservingBytes: 256)
        writer.beginObject()
        writer.key("id")
        writer.string(call.id)
        writer.key("deadline_ms")
        writer.integer(call.deadlineMilliseconds)
        writer.key("arn")
        writer.string(call.functionARN)
        writer.key("trace")
        writer.string(call.traceID)
        writer.key("client_context")
        writer.string(call.clientContext)
        writer.key("content_type")
        writer.string(request.contentType)
        writer.endObject()
        return writer.bytes
    }
}
