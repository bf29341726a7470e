/// A descriptor that several hold; it is closed with the last of them.
package final class SharedDescriptor: Sendable {
    package let descriptor: FileDescriptor

    package init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }
}
