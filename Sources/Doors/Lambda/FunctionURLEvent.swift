import ControlPlane
import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import NIOCore

/// A request to a function's URL as the function gets it: the payload format 2.0 of AWS.
struct FunctionURLEvent {
    var id: String
    var domain: String
    /// Behind the URL's own prefix, as it was sent.
    var rawPath: String
    var query: String
    var method: String
    /// Names in any case, in the order in which they came.
    var headers: [(name: String, value: String)]
    var sourceIP: String
    var body: ByteBuffer
    var requestID: String
    var unixMilliseconds: Int64
    var account: LambdaAccount
    /// Signed requests are told so.
    var isSigned: Bool

    var document: JSONValue {
        let (text, isBase64) = textOfBody
        var fields: [String: String] = [:]
        for header in headers where header.name.lowercased() != "cookie" {
            let name = header.name.lowercased()
            fields[name] = fields[name].map { "\($0),\(header.value)" } ?? header.value
        }
        let cookies = headers.filter { $0.name.lowercased() == "cookie" }
            .flatMap { $0.value.split(separator: ";").map { $0.drop { $0 == " " } } }
        let path = PercentCoding.decode(rawPath)
        var http: [String: JSONValue] = [
            "method": .text(method), "path": .text(path), "protocol": "HTTP/1.1", "sourceIp": .text(sourceIP),
        ]
        if let agent = fields["user-agent"] { http["userAgent"] = .text(agent) }
        var context: [String: JSONValue] = [
            "accountId": .text(isSigned ? account.id : "anonymous"), "apiId": .text(id), "domainName": .text(domain),
            "domainPrefix": .text(id), "http": .object(http), "requestId": .text(requestID), "routeKey": "$default",
            "stage": "$default", "time": .text(time), "timeEpoch": .integer(Int(unixMilliseconds)),
        ]
        if isSigned { context["authorizer"] = ["iam": ["accountId": .text(account.id)]] }
        return .present([
            "version": "2.0", "routeKey": "$default", "rawPath": .text(path), "rawQueryString": .text(query),
            "cookies": cookies.isEmpty ? nil : .texts(cookies.map(String.init)), "headers": .texts(fields),
            "queryStringParameters": parameters, "requestContext": .object(context),
            "body": body.readableBytes == 0 ? nil : .text(text), "isBase64Encoded": .bool(isBase64),
        ])
    }

    /// Text where the body is that, base64 where it is not.
    private var textOfBody: (String, isBase64: Bool) {
        let type = headers.first { $0.name.lowercased() == "content-type" }?.value.lowercased() ?? "application/json"
        let isText =
            type.hasPrefix("text/") || type.contains("json") || type.contains("xml") || type.contains("javascript")
            || type.hasPrefix("application/x-www-form-urlencoded")
        if isText, let text = String(validating: body.readableBytesView, as: UTF8.self) { return (text, false) }
        return (Data(body.readableBytesView).base64EncodedString(), body.readableBytes > 0)
    }

    private var parameters: JSONValue? {
        guard !query.isEmpty else { return nil }
        var parameters: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { PercentCoding.decode($0.replacing("+", with: " ")) }
            let value = parts.count == 2 ? parts[1] : ""
            parameters[parts[0]] = parameters[parts[0]].map { "\($0),\(value)" } ?? value
        }
        return .texts(parameters)
    }

    /// `12/Mar/2020:19:03:58 +0000`.
    private var time: String {
        // IMF-fixdate has the parts: `Thu, 12 Mar 2020 19:03:58 GMT`.
        let parts = ReplyDate.format(unixSeconds: Int(unixMilliseconds / 1000)).split(separator: " ")
        guard parts.count == 6 else { return "" }
        return "\(parts[1])/\(parts[2])/\(parts[3]):\(parts[4]) +0000"
    }
}

/// What a function answers to such a request.
struct FunctionURLReply {
    var status = 200
    var headers: [(name: String, value: String)] = []
    var body = ByteBuffer()

    /// A function that streams begins with this type a document of status, headers and cookies, and eight zeros behind it.
    static let preludeType = "application/vnd.awslambda.http-integration-response"
    static let preludeEnd = [UInt8](repeating: 0, count: 8)

    /// - Parameter bytes: of the function's reply, or of a prelude.
    init(parsing bytes: ByteBuffer, contentType: String) {
        guard let document = JSONValue(parsing: bytes.readableBytesView) else {
            headers = [("content-type", contentType)]
            body = bytes
            return
        }
        guard document["statusCode"] != nil else {
            headers = [("content-type", "application/json")]
            body = document.text.map { ByteBuffer(string: $0) } ?? bytes
            return
        }
        read(document)
        let text = document["body"]?.text ?? document["body"]?.json ?? ""
        if document["isBase64Encoded"]?.bool == true, let data = Data(base64Encoded: text) {
            body = ByteBuffer(bytes: data)
        } else {
            body = ByteBuffer(string: text)
        }
    }

    init(prelude: JSONValue) {
        read(prelude)
    }

    private mutating func read(_ document: JSONValue) {
        status = document["statusCode"]?.integer ?? Int(document["statusCode"]?.text ?? "") ?? 200
        if !(200...599).contains(status) { status = 502 }
        for (name, value) in document["headers"]?.members ?? [:] {
            headers.append((name, value.text ?? value.json))
        }
        for cookie in document["cookies"]?.elements ?? [] {
            if let text = cookie.text { headers.append(("set-cookie", text)) }
        }
        if !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            headers.append(("content-type", "application/json"))
        }
    }

    /// The fields that a header may hold; those that say where the message ends are ours.
    var fields: HTTPFields {
        var fields = HTTPFields()
        for header in headers {
            let name = header.name.lowercased()
            guard let field = HTTPField.Name(header.name), HTTPField.isValidValue(header.value),
                !["content-length", "transfer-encoding", "connection", "date"].contains(name)
            else { continue }
            fields.append(HTTPField(name: field, value: header.value))
        }
        return fields
    }
}
