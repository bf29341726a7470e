import ControlPlane
import HTTPTypes
import Schedules

/// One operation of the Lambda API: where it is reached, and what it does.
struct LambdaRoute: Sendable {
    typealias Act = @Sendable (LambdaRequest) async throws(LambdaError) -> JSONValue?

    let method: HTTPRequest.Method
    /// Segments of the path; nil stands for any.
    let segments: [String?]
    /// Of a request that did what it asked for: clients look at the very number.
    let status: HTTPResponse.Status
    let act: Act

    /// - Parameter template: `2015-03-31/functions/*/aliases`.
    init(_ method: HTTPRequest.Method, _ template: String, _ status: Int, _ act: @escaping Act) {
        self.method = method
        segments = template.split(separator: "/").map { $0 == "*" ? nil : String($0) }
        self.status = HTTPResponse.Status(code: status)
        self.act = act
    }

    /// What stands in the places of the stars; nil where this is another operation's path.
    func parameters(of path: [String]) -> [String]? {
        guard path.count == segments.count else { return nil }
        var parameters: [String] = []
        for (segment, text) in zip(segments, path) {
            if segment == nil {
                parameters.append(text)
            } else if segment != text {
                return nil
            }
        }
        return parameters
    }

    /// All operations but those that call functions.
    static let all = functions + qualified + mappings + layers + others
}

/// A request of the control plane, with its body read.
struct LambdaRequest: Sendable {
    let plane: ControlPlane
    let schedules: ScheduleService
    let parameters: [String]
    let query: [(name: String, value: String)]
    let body: RequestFields
    /// Scheme and authority under which the caller reached this node.
    let origin: String
    let locator: CodeLocator

    /// The function that the path names, with its own qualifier or that of the query.
    func function() throws(LambdaError) -> FunctionReference {
        try plane.reference(parameters[0], qualifier: query("Qualifier"))
    }

    func query(_ name: String) -> String? {
        query.first { $0.name == name && !$0.value.isEmpty }?.value
    }

    func page() throws(LambdaError) -> Page {
        guard let text = query("MaxItems") else { return Page(marker: query("Marker"), itemsMax: nil) }
        guard let count = Int(text), (1...10_000).contains(count) else {
            throw .constraint(text, at: "maxItems", "Member must have value between 1 and 10000")
        }
        return Page(marker: query("Marker"), itemsMax: count)
    }
}
