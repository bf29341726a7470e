package import ControlPlane
package import Events

/// What stands behind the Lambda door.
package struct LambdaServices: Sendable {
    package var plane: ControlPlane
    package var events: EventRunner
    package var queues: ClientQueues
    /// nil where requests need no signature.
    package var keys: AccessKeys?
    /// Seconds since 1970, against which signatures are held.
    package var unixSeconds: @Sendable () -> Int

    package init(
        plane: ControlPlane,
        events: EventRunner,
        queues: ClientQueues,
        keys: AccessKeys?,
        unixSeconds: @escaping @Sendable () -> Int
    ) {
        self.plane = plane
        self.events = events
        self.queues = queues
        self.keys = keys
        self.unixSeconds = unixSeconds
    }
}
