import ControlPlane
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Metering
import NIOCore

/// The few operations of STS and IAM that clients of Lambda ask for on their way: XML in answer to a form.
struct NeighbourDoor: Sendable {
    let account: LambdaAccount

    static let bodyBytesMax = 64 << 10

    /// A form is sent to the root, and only AWS's older services do that.
    static func takes(_ request: Request, _ path: LambdaPath) -> Bool {
        request.method == .post && path.segments.isEmpty
            && (request.headers[.contentType] ?? "").hasPrefix("application/x-www-form-urlencoded")
    }

    func respond(to body: ByteBuffer) -> Response {
        var fields: [String: String] = [:]
        for pair in String(buffer: body).split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? parts[1].replacing("+", with: " ") : ""
            fields[PercentCoding.decode(parts[0])] = PercentCoding.decode(value)
        }
        let id = InvocationID.generated().description
        let action = fields["Action"] ?? ""
        switch action {
        case "GetCallerIdentity":
            let arn = "arn:aws:iam::\(account.id):user/thaw"
            return xml(
                action,
                "https://sts.amazonaws.com/doc/2011-06-15/",
                "<Arn>\(arn)</Arn><UserId>THAWUSER</UserId><Account>\(account.id)</Account>",
                id
            )
        case "GetRole", "CreateRole":
            return xml(action, Self.iam, role(fields["RoleName"] ?? "any", fields), id)
        case "ListRolePolicies":
            return xml(action, Self.iam, "<PolicyNames/><IsTruncated>false</IsTruncated>", id)
        case "ListAttachedRolePolicies":
            return xml(action, Self.iam, "<AttachedPolicies/><IsTruncated>false</IsTruncated>", id)
        case "ListInstanceProfilesForRole":
            return xml(action, Self.iam, "<InstanceProfiles/><IsTruncated>false</IsTruncated>", id)
        case "AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "DeleteRole", "TagRole":
            return xml(action, Self.iam, "", id)
        default:
            return error(action, id)
        }
    }

    private static let iam = "https://iam.amazonaws.com/doc/2010-05-08/"

    /// Every role is there and may do nothing: functions get their rights from their manifests.
    private func role(_ name: String, _ fields: [String: String]) -> String {
        let policy = fields["AssumeRolePolicyDocument"] ?? #"{"Version":"2012-10-17","Statement":[]}"#
        return """
            <Role><Path>/</Path><RoleName>\(Self.escaped(name))</RoleName><RoleId>AROATHAW</RoleId>\
            <Arn>arn:aws:iam::\(account.id):role/\(Self.escaped(name))</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
            <AssumeRolePolicyDocument>\(PercentCoding.encode(policy))</AssumeRolePolicyDocument>\
            <MaxSessionDuration>3600</MaxSessionDuration></Role>
            """
    }

    private func xml(_ action: String, _ namespace: String, _ result: String, _ id: String) -> Response {
        reply(
            .ok,
            "<\(action)Response xmlns=\"\(namespace)\"><\(action)Result>\(result)</\(action)Result>"
                + "<ResponseMetadata><RequestId>\(id)</RequestId></ResponseMetadata></\(action)Response>",
            id
        )
    }

    private func error(_ action: String, _ id: String) -> Response {
        reply(
            .badRequest,
            "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>"
                + "This node has no operation \(Self.escaped(String(action.prefix(80))))</Message></Error>"
                + "<RequestId>\(id)</RequestId></ErrorResponse>",
            id
        )
    }

    private func reply(_ status: HTTPResponse.Status, _ text: String, _ id: String) -> Response {
        var fields = HTTPFields()
        fields[.contentType] = "text/xml"
        fields[LambdaReply.requestID] = id
        let body = ByteBuffer(string: "<?xml version=\"1.0\"?>\n" + text)
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: body))
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
