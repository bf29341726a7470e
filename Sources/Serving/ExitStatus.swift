/// How a template or a worker says why it ended by itself; far from the small numbers that anything may use.
package enum ExitStatus: Int32, Sendable {
    /// The scheduler closed the channel or the control socket: all is well.
    case told = 0
    /// The scheduler sent what the contract does not have.
    case brokenContract = 90
    /// A channel or the control socket failed.
    case lostConnection = 91
    /// The sandbox did not close; nothing of the function was read.
    case openSandbox = 92
    /// The snapshot cannot be served; the report said why.
    case refusedSnapshot = 93
    /// A fork could not be confined as a worker.
    case unconfined = 94
    /// The author's program ended, or never asked for a call; the last words say how.
    case programEnded = 95
}
