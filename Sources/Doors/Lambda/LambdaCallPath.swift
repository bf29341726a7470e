import ControlPlane
import HTTPTypes

/// A request of the Lambda API that calls a function.
struct LambdaCallPath: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        /// The whole reply, or an event, or a look whether the call would be allowed.
        case invoke
        /// The reply as it comes, in the frames of an event stream.
        case stream
        /// The way to send an event before there were types of invocations.
        case invokeAsync
    }

    let kind: Kind
    let function: String
    let qualifier: String?

    init?(_ method: HTTPRequest.Method, _ path: LambdaPath) {
        let segments = path.segments
        guard method == .post, segments.count == 4, segments[1] == "functions" else { return nil }
        switch (segments[0], segments[3]) {
        case ("2015-03-31", "invocations"): kind = .invoke
        case ("2021-11-15", "response-streaming-invocations"): kind = .stream
        case ("2014-11-13", "invoke-async"): kind = .invokeAsync
        default: return nil
        }
        function = segments[2]
        let value = path.query.split(separator: "&").first { $0.hasPrefix("Qualifier=") }
        qualifier = value.map { PercentCoding.decode($0.dropFirst("Qualifier=".count)) }
    }
}
