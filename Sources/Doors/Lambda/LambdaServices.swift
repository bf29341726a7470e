package import ControlPlane
package import Events
package import Schedules

/// What stands behind the Lambda door.
package struct LambdaServices: Sendable {
    package var plane: ControlPlane
    package var events: EventRunner
    package var schedules: ScheduleService
    package var queues: ClientQueues
    /// nil where requests need no signature.
    package var keys: AccessKeys?
    /// Seconds since 1970, against which signatures are held.
    package var unixSeconds: @Sendable () -> Int

    package init(
        plane: ControlPlane,
        events: EventRunner,
        schedules: ScheduleService,
        queues: ClientQueues,
        keys: AccessKeys?,
        unixSeconds: @escaping @Sendable () -> Int
    ) {
        self.plane = plane
        self.events = events
        self.schedules = schedules
        self.queues = queues
        self.keys = keys
        self.unixSeconds = unixSeconds
    }
}
