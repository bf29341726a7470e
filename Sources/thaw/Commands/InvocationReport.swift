import Foundation

/// What `thaw invoke --json` prints of a call.
struct InvocationReport {
    private let reply: Client.Reply
    private let body: Data

    init(_ reply: Client.Reply, _ body: Data) {
        self.reply = reply
        self.body = body
    }

    /// The body is spliced in as it came where it is JSON, so that no number is written anew.
    var document: Data {
        var data = Data("{".utf8)
        data += Data(#""status":\#(reply.status)"#.utf8)
        append("id", header: "Thaw-Invocation-Id", to: &data)
        append("start", header: "Thaw-Start", to: &data)
        append("contentType", header: "Content-Type", to: &data)
        let timing = reply.header("Server-Timing").map(Self.timing) ?? [:]
        data += Data(#","timing":"#.utf8) + Self.encode(timing)
        if (try? JSONSerialization.jsonObject(with: body, options: .fragmentsAllowed)) != nil {
            data += Data(#","body":"#.utf8) + body
        } else if let text = String(data: body, encoding: .utf8) {
            data += Data(#","body":"#.utf8) + Self.encode(text)
        } else {
            data += Data(#","bodyBase64":"#.utf8) + Self.encode(body.base64EncodedString())
        }
        data += Data("}".utf8)
        return data
    }

    private func append(_ key: String, header: String, to data: inout Data) {
        data += Data(",\"\(key)\":".utf8) + Self.encode(reply.header(header))
    }

    /// `queue;dur=0.012, bind;dur=0.210` → milliseconds by name.
    static func timing(_ header: String) -> [String: Double] {
        var timing: [String: Double] = [:]
        for metric in header.split(separator: ",") {
            let parts = metric.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            guard let name = parts.first, let duration = parts.first(where: { $0.hasPrefix("dur=") }) else { continue }
            timing[name] = Double(duration.dropFirst(4))
        }
        return timing
    }

    private static func encode(_ value: some Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Text and finite numbers always have a form in JSON.
        return (try? encoder.encode(value)) ?? Data("null".utf8)
    }
}
