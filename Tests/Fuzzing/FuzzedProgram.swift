import Serving

@testable import thaw_jail

/// What a program of an author's sends to its worker.
enum FuzzedProgram {
    /// How the bytes are cut, then a connection to the Runtime API: its requests, and what a runtime's life makes of them.
    static func ask(_ bytes: [UInt8]) {
        guard let cut = bytes.first.map({ Int($0) + 1 }) else { return }
        var reader = RequestReader()
        var state = RuntimeState()
        var bodyCount = 0
        for start in stride(from: 1, to: bytes.count, by: cut) {
            guard let events = try? reader.take(Array(bytes[start..<min(start + cut, bytes.count)])) else { return }
            for event in events {
                switch event {
                case .head(let head):
                    let mode = head.value("lambda-runtime-function-response-mode")
                    let decision = state.decide(RuntimeState.request(head.method, head.target), mode: mode)
                    // A program that waits has its call.
                    if decision == .hold, state.phase == .ready { state.begin(id: "a") }
                case .body(let body): bodyCount += body.count
                case .end(let trailers):
                    _ = trailers["lambda-runtime-function-error-body"].flatMap(Base64.decoded)
                    state.endAnswer()
                }
            }
        }
        precondition(bodyCount < bytes.count, "bodies are of what came")
        _ = ErrorDocument(body: bytes, type: nil).json
    }

    /// How the bytes are cut, then frames of a Python worker.
    static func read(_ bytes: [UInt8]) {
        guard let cut = bytes.first.map({ Int($0) + 1 }) else { return }
        var reader = CallFrameReader()
        for start in stride(from: 1, to: bytes.count, by: cut) {
            reader.append(Array(bytes[start..<min(start + cut, bytes.count)]))
            do {
                while let frame = try reader.next() {
                    guard frame.kind == .nested else { continue }
                    let call = try CallFrame.outgoing(frame.payload)
                    precondition(call.body.count < frame.payload.count, "a body is of what came")
                }
            } catch {
                return
            }
        }
    }
}
