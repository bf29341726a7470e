import Foundation

/// Files that functions share; versions are numbered and never change.
package struct LayerVersion: Codable, Equatable, Sendable {
    package let name: String
    package let number: Int
    var description: String
    var created: String
    /// Base64 of the archive's SHA-256, and its name in the code store.
    var sha256: String
    package var archive: String
    var byteCount: Int
    var settings: [String: JSONValue]
    var policy = ResourcePolicy()

    static let settingKeys = ["CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"]

    /// - Parameter location: of its archive; nil in lists, which tell less.
    func document(in account: LambdaAccount, at location: String?) -> JSONValue {
        var members = settings
        members["LayerVersionArn"] = .text(account.layerARN(name, number))
        members["Version"] = .integer(number)
        members["Description"] = .text(description)
        members["CreatedDate"] = .text(created)
        if let location {
            members["LayerArn"] = .text(account.layerARN(name))
            members["Content"] = [
                "Location": .text(location),
                "CodeSha256": .text(sha256),
                "CodeSize": .integer(byteCount),
            ]
        }
        return .object(members)
    }
}
