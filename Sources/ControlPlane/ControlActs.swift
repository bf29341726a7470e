package import Invoking
package import Registry
package import Manifests

/// Makes a version under a name, or says why there is none.
package typealias VersionMaking<Source> =
    @Sendable (_ name: String, _ source: Source) async -> Result<FunctionVersion, DeployFailure>

/// What the control plane has others do.
package struct ControlActs: Sendable {
    package var deploy: VersionMaking<CodePackage>
    /// Makes a version of what serves, with another manifest and the same snapshot.
    package var reconfigure: VersionMaking<@Sendable (inout Manifest) -> Void>
    package var delete: @Sendable (_ name: String) async throws -> Void
    /// Keeps so many workers of a function's versions, and no others.
    package var provision: @Sendable (_ name: String, _ workers: [Int: Int]) -> Void
    /// Workers of a function that are there at this moment.
    package var workers: @Sendable (_ name: String) -> Int

    package init(
        deploy: @escaping VersionMaking<CodePackage>,
        reconfigure: @escaping VersionMaking<@Sendable (inout Manifest) -> Void>,
        delete: @escaping @Sendable (String) async throws -> Void,
        provision: @escaping @Sendable (String, [Int: Int]) -> Void,
        workers: @escaping @Sendable (String) -> Int
    ) {
        self.deploy = deploy
        self.reconfigure = reconfigure
        self.delete = delete
        self.provision = provision
        self.workers = workers
    }
}
