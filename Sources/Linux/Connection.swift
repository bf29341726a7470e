import CLinux

/// Connections that a library holds, by their numbers.
package enum Connection {
    /// Has the kernel find out when the other side is gone without a word: within a minute.
    package static func watch(_ number: Int32) { thaw_connection_watch(number) }
}
