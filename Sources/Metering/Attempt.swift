/// One admitted attempt to serve a call: what is known of it before it runs.
package struct Attempt: Equatable, Sendable {
    package let id: InvocationID
    /// Counted from 1.
    package let number: Int
    /// The call in the middle of which this one was made; nil for one from outside.
    package let parent: InvocationID?
    package let function: String
    package let version: Int
    /// Digest of the snapshot, lower-case hexadecimal.
    package let snapshot: String
    package let bytesIn: Int
    package let acceptedUnixNanoseconds: UInt64

    package init(
        id: InvocationID,
        number: Int = 1,
        parent: InvocationID? = nil,
        function: String,
        version: Int,
        snapshot: String,
        bytesIn: Int,
        acceptedUnixNanoseconds: UInt64
    ) {
        self.id = id
        self.number = number
        self.parent = parent
        self.function = function
        self.version = version
        self.snapshot = snapshot
        self.bytesIn = bytesIn
        self.acceptedUnixNanoseconds = acceptedUnixNanoseconds
    }
}
