import Glibc

extension FileDescriptor {
    /// Writes what one call takes.
    package func write(_ bytes: borrowing RawSpan) throws(SystemError) -> Int {
        let number = rawValue
        return try unsafe bytes.withUnsafeBytes { (buffer) throws(SystemError) -> Int in
            try checked("write") { unsafe Glibc.write(number, buffer.baseAddress, buffer.count) }
        }
    }

    /// As ``write(_:)``, `nil` where a non-blocking descriptor has no room.
    package func writeAvailable(_ bytes: borrowing RawSpan) throws(SystemError) -> Int? {
        let number = rawValue
        return try unsafe bytes.withUnsafeBytes { (buffer) throws(SystemError) -> Int? in
            try checkedUnlessBlocked("write") { unsafe Glibc.write(number, buffer.baseAddress, buffer.count) }
        }
    }

    /// Writes everything, in as many calls as it takes.
    package func writeAll(_ bytes: borrowing RawSpan) throws(SystemError) {
        let number = rawValue
        try unsafe bytes.withUnsafeBytes { (buffer) throws(SystemError) in
            var rest = unsafe buffer[...]
            while unsafe !rest.isEmpty {
                let part = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let count = try checked("write") { unsafe Glibc.write(number, part.baseAddress, part.count) }
                unsafe rest = rest.dropFirst(count)
            }
        }
    }

    package func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        try unsafe writeAll(bytes.span.bytes)
    }

    /// Writes everything at a place in the file, without moving the file's position.
    package func pwrite(_ bytes: borrowing RawSpan, at offset: Int) throws(SystemError) {
        let number = rawValue
        try unsafe bytes.withUnsafeBytes { (buffer) throws(SystemError) in
            var done = 0
            while done < buffer.count {
                let part = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                done += try checked("pwrite") {
                    unsafe Glibc.pwrite(number, part.baseAddress, part.count, offset + done)
                }
            }
        }
    }

    package func pwrite(_ bytes: [UInt8], at offset: Int) throws(SystemError) {
        try unsafe pwrite(bytes.span.bytes, at: offset)
    }
}
