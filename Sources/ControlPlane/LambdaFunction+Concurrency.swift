import Foundation

/// Workers that are kept for one version or alias.
package struct ProvisionedConcurrency: Codable, Equatable, Sendable {
    package var requested: Int
    var lastModified: String

    /// - Parameter available: those that stand ready at this moment.
    func document(available: Int) -> JSONValue {
        let ready = min(available, requested)
        return [
            "RequestedProvisionedConcurrentExecutions": .integer(requested),
            "AvailableProvisionedConcurrentExecutions": .integer(ready),
            "AllocatedProvisionedConcurrentExecutions": .integer(ready),
            "Status": ready >= requested ? "READY" : "IN_PROGRESS",
            "LastModified": .text(lastModified),
        ]
    }
}

extension LambdaFunction {
    /// - Parameter reservedByOthers: by all other functions of the account.
    mutating func reserveConcurrency(_ fields: RequestFields, reservedByOthers: Int) throws(LambdaError) -> JSONValue {
        let range = 0...Int.max
        guard let count = try fields.integer("ReservedConcurrentExecutions", in: range) else {
            throw .constraint("null", at: "reservedConcurrentExecutions", "Member must not be null")
        }
        let left = LambdaLimits.concurrencyMax - reservedByOthers
        guard count <= left - LambdaLimits.unreservedConcurrencyMin else {
            throw .invalid(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                    + "below its minimum value of [\(LambdaLimits.unreservedConcurrencyMin)]."
            )
        }
        let provisioned = provisioned.values.reduce(0) { $0 + $1.requested }
        guard count >= provisioned else {
            throw .invalid(
                "ReservedConcurrentExecutions \(count) should not be lower than function's total provisioned "
                    + "concurrency [\(provisioned)]."
            )
        }
        reservedConcurrency = count
        return ["ReservedConcurrentExecutions": .integer(count)]
    }

    mutating func provision(
        _ fields: RequestFields,
        qualifier: String?,
        in account: LambdaAccount,
        now: Date
    ) throws(LambdaError) -> ProvisionedConcurrency {
        let qualifier = try provisionable(qualifier, in: account)
        let range = 1...LambdaLimits.concurrencyMax
        guard let count = try fields.integer("ProvisionedConcurrentExecutions", in: range) else {
            throw .constraint("null", at: "provisionedConcurrentExecutions", "Member must not be null")
        }
        if let reservedConcurrency, count > reservedConcurrency {
            throw .invalid(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
            )
        }
        if let alias = aliases[qualifier] {
            guard provisioned[alias.functionVersion] == nil else {
                throw .invalid(
                    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
                )
            }
        } else if aliases.contains(where: { $0.value.functionVersion == qualifier && provisioned[$0.key] != nil }) {
            throw .invalid("Version is pointed by a Provisioned Concurrency alias")
        }
        let made = ProvisionedConcurrency(requested: count, lastModified: LambdaTime.text(now))
        provisioned[qualifier] = made
        return made
    }

    private func provisionable(_ qualifier: String?, in account: LambdaAccount) throws(LambdaError) -> String {
        guard let qualifier, qualifier != "$LATEST" else {
            throw .invalid(
                "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
            )
        }
        if aliases[qualifier]?.functionVersion == "$LATEST" {
            throw .invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        }
        guard aliases[qualifier] != nil || version(qualifier) != nil else {
            if Int(qualifier) != nil { throw .functionNotFound(account.functionARN(name, qualifier)) }
            throw LambdaError(.resourceNotFound, "Cannot find alias arn: \(account.functionARN(name, qualifier))")
        }
        return qualifier
    }

    func provisioned(_ qualifier: String?, in account: LambdaAccount) throws(LambdaError) -> ProvisionedConcurrency {
        let qualifier = try provisionable(qualifier, in: account)
        guard let found = provisioned[qualifier] else {
            throw LambdaError(.provisionedNotFound, "No Provisioned Concurrency Config found for this function")
        }
        return found
    }

    mutating func unprovision(_ qualifier: String?, in account: LambdaAccount) throws(LambdaError) {
        provisioned[try provisionable(qualifier, in: account)] = nil
    }

    /// Workers to keep, by the registry's version.
    var workersProvisioned: [Int: Int] {
        var counts: [Int: Int] = [:]
        for (qualifier, config) in provisioned {
            guard let version = version(aliases[qualifier]?.functionVersion ?? qualifier) else { continue }
            counts[version.code.registryVersion, default: 0] += config.requested
        }
        return counts
    }
}
