package import ControlPlane

/// What stands behind the Lambda door.
package struct LambdaServices: Sendable {
    package var plane: ControlPlane
    /// nil where requests need no signature.
    package var keys: AccessKeys?
    /// Seconds since 1970, against which signatures are held.
    package var unixSeconds: @Sendable () -> Int

    package init(plane: ControlPlane, keys: AccessKeys?, unixSeconds: @escaping @Sendable () -> Int) {
        self.plane = plane
        self.keys = keys
        self.unixSeconds = unixSeconds
    }
}
