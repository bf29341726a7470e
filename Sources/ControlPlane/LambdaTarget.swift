import Manifests
import Registry

/// Which version a call through the Lambda API reaches, and what its caller is told of it.
package struct LambdaTarget: Sendable {
    package var registryName: String
    /// nil for what serves.
    package var registryVersion: Int?
    /// What the caller is told was executed: `$LATEST`, or a version's number.
    package var label: String
    /// With the qualifier that the caller wrote.
    package var arn: String
    package var memoryMebibytes: Int
    package var isReserved: Bool
    /// A program of the author's answers, and is told what programs of Lambda are.
    package var isCode: Bool
    /// Nothing may run: its reserved concurrency is 0.
    package var isStopped: Bool
}

extension ControlPlane {
    /// - Parameter chance: from 0 up to 1, for aliases with weights.
    /// - Throws: where there is no such function, or it is not active.
    package func target(of reference: FunctionReference, chance: Double) throws(LambdaError) -> LambdaTarget {
        let function = try function(reference)
        switch function.phase {
        case .active: break
        case .pending: throw Self.notActive("Pending")
        case .failed: throw Self.notActive("Failed")
        }
        let version: LambdaVersion
        if let labelled = labelled(reference.qualifier, of: function) {
            version = labelled
        } else {
            version = try function.target(reference.qualifier, chance: chance, in: account)
        }
        let number = version.number == nil ? nil : version.code.registryVersion
        let called = try? registry.resolve(function.registryName, qualifier: number.map(String.init))
        return LambdaTarget(
            registryName: function.registryName,
            registryVersion: number,
            label: version.label,
            arn: account.functionARN(function.name, reference.qualifier),
            memoryMebibytes: version.settings.memoryMebibytes,
            isReserved: function.reservedConcurrency != nil,
            isCode: called.map { $0.manifest.runtime != .model } ?? false,
            isStopped: function.reservedConcurrency == 0
        )
    }

    private static func notActive(_ state: String) -> LambdaError {
        LambdaError(
            .resourceConflict,
            "The operation cannot be performed at this time. The function is currently in the following state: \(state)"
        )
    }
}
