import Foundation

/// What becomes of calls that nobody waits for.
package struct EventInvokeConfig: Codable, Equatable, Sendable {
    package var retriesMax: Int?
    package var ageSecondsMax: Int?
    package var destinations: JSONValue?
    var lastModified: Double
    /// Written by a deploy, of what the manifest says; nil where somebody set it.
    private var declared: Bool?

    var isDeclared: Bool {
        get { declared ?? false }
        set { declared = newValue ? true : nil }
    }

    init(lastModified: Double) {
        self.lastModified = lastModified
    }

    package static let retriesDefault = 2
    /// Six hours.
    package static let ageSecondsDefault = 21_600

    func document(_ qualifier: String, of function: String, in account: LambdaAccount) -> JSONValue {
        .present([
            "FunctionArn": .text(account.functionARN(function, qualifier)),
            "LastModified": .number(lastModified),
            "MaximumRetryAttempts": retriesMax.map { .integer($0) },
            "MaximumEventAgeInSeconds": ageSecondsMax.map { .integer($0) },
            "DestinationConfig": destinations ?? ["OnSuccess": .object([:]), "OnFailure": .object([:])],
        ])
    }
}

extension LambdaFunction {
    /// What holds for an event to a qualifier.
    package func eventInvoke(_ qualifier: String?) -> EventInvokeConfig? { eventInvokes[qualifier ?? "$LATEST"] }

    /// - Parameter isReplacement: what is not said is forgotten; otherwise it stays.
    mutating func setEventInvoke(
        _ fields: RequestFields,
        qualifier: String?,
        isReplacement: Bool,
        in account: LambdaAccount,
        now: Date
    ) throws(LambdaError) -> JSONValue {
        try check(qualifier: qualifier, in: account)
        let key = qualifier ?? "$LATEST"
        let known = eventInvokes[key]
        if known == nil, !isReplacement { throw noEventInvoke(key, in: account) }
        var config =
            isReplacement ? EventInvokeConfig(lastModified: 0) : known ?? EventInvokeConfig(lastModified: 0)
        let retries = try fields.integer("MaximumRetryAttempts", in: 0...2)
        let age = try fields.integer("MaximumEventAgeInSeconds", in: 60...21_600)
        guard retries != nil || age != nil || fields.has("DestinationConfig") else {
            throw .invalid("You must specify at least one of error handling or destination setting.")
        }
        if let retries { config.retriesMax = retries }
        if let age { config.ageSecondsMax = age }
        if let destinations = try fields.object("DestinationConfig") {
            for key in ["OnSuccess", "OnFailure"] {
                guard let arn = try destinations.object(key)?.text("Destination") else { continue }
                try checkDestination(arn, in: account)
            }
            config.destinations = .object(
                ["OnSuccess": .object([:]), "OnFailure": .object([:])].merging(destinations.document.members ?? [:]) {
                    $1
                }
            )
        }
        config.lastModified = (now.timeIntervalSince1970 * 1000).rounded() / 1000
        eventInvokes[key] = config
        return config.document(key, of: name, in: account)
    }

    private func checkDestination(_ arn: String, in account: LambdaAccount) throws(LambdaError) {
        // Beside the service's own: a web address, a file of the node's folder of destinations.
        if arn.hasPrefix("https://") || arn.hasPrefix("http://") || arn.hasPrefix("file:") { return }
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 6, parts[0] == "arn", ["sqs", "sns", "lambda", "events", "s3"].contains(parts[2]) else {
            throw .invalid("The destination ARN \(arn) is invalid.")
        }
        if arn == account.functionARN(name) || arn.hasPrefix(account.functionARN(name) + ":") {
            throw .invalid("You can't specify the function as a destination for itself.")
        }
    }

    func eventInvokeDocument(_ qualifier: String?, in account: LambdaAccount) throws(LambdaError) -> JSONValue {
        let key = qualifier ?? "$LATEST"
        guard let config = eventInvokes[key] else { throw noEventInvoke(key, in: account) }
        return config.document(key, of: name, in: account)
    }

    mutating func deleteEventInvoke(_ qualifier: String?, in account: LambdaAccount) throws(LambdaError) {
        let key = qualifier ?? "$LATEST"
        guard eventInvokes.removeValue(forKey: key) != nil else { throw noEventInvoke(key, in: account) }
    }

    func eventInvokeDocuments(in account: LambdaAccount) -> [JSONValue] {
        eventInvokes.sorted { $0.key < $1.key }.map { $0.value.document($0.key, of: name, in: account) }
    }

    private func noEventInvoke(_ qualifier: String, in account: LambdaAccount) -> LambdaError {
        LambdaError(
            .resourceNotFound,
            "The function \(account.functionARN(name, qualifier)) doesn't have an EventInvokeConfig"
        )
    }
}
