import Glibc

extension FileDescriptor {
    /// Reads into the start of `bytes` what one call gives; 0 at the end of the file.
    package func read(into bytes: inout MutableRawSpan) throws(SystemError) -> Int {
        let number = rawValue
        return try unsafe bytes.withUnsafeMutableBytes { (buffer) throws(SystemError) -> Int in
            try checked("read") { unsafe Glibc.read(number, buffer.baseAddress, buffer.count) }
        }
    }

    /// As ``read(into:)``, `nil` where a non-blocking descriptor has nothing yet.
    package func readAvailable(into bytes: inout MutableRawSpan) throws(SystemError) -> Int? {
        let number = rawValue
        return try unsafe bytes.withUnsafeMutableBytes { (buffer) throws(SystemError) -> Int? in
            try checkedUnlessBlocked("read") { unsafe Glibc.read(number, buffer.baseAddress, buffer.count) }
        }
    }

    /// Reads what one call gives, at most `countMax` bytes; empty at the end of the file.
    package func read(countMax: Int) throws(SystemError) -> [UInt8] {
        let number = rawValue
        return try unsafe [UInt8](unsafeUninitializedCapacityTyped: countMax) { (buffer) throws(SystemError) -> Int in
            try checked("read") { unsafe Glibc.read(number, buffer.baseAddress, countMax) }
        }
    }

    /// As ``read(countMax:)``, `nil` where a non-blocking descriptor has nothing yet.
    package func readAvailable(countMax: Int) throws(SystemError) -> [UInt8]? {
        let number = rawValue
        var isBlocked = false
        let bytes = try unsafe [UInt8](unsafeUninitializedCapacityTyped: countMax) {
            (buffer) throws(SystemError) -> Int in
            let count = try checkedUnlessBlocked("read") {
                unsafe Glibc.read(number, buffer.baseAddress, countMax)
            }
            isBlocked = count == nil
            return count ?? 0
        }
        return isBlocked ? nil : bytes
    }

    /// Reads until the end of the file; where more than `countMax` bytes follow, the error is `EFBIG`.
    package func readAll(countMax: Int = .max) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let piece = try read(countMax: 256 * 1024)
            if piece.isEmpty { return bytes }
            guard bytes.count + piece.count <= countMax else { throw SystemError(call: "read", code: EFBIG) }
            bytes.append(contentsOf: piece)
        }
    }

    /// Fills `bytes` from a place in the file, without moving the file's position.
    ///
    /// Answers how many bytes it read; fewer than asked for only at the end of the file.
    package func pread(into bytes: inout MutableRawSpan, at offset: Int) throws(SystemError) -> Int {
        let number = rawValue
        return try unsafe bytes.withUnsafeMutableBytes { (buffer) throws(SystemError) -> Int in
            var done = 0
            while done < buffer.count {
                let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let count = try checked("pread") {
                    unsafe Glibc.pread(number, part.baseAddress, part.count, offset + done)
                }
                if count == 0 { break }
                done += count
            }
            return done
        }
    }

    /// Up to `count` bytes from a place in the file; fewer only at its end.
    package func pread(count: Int, at offset: Int) throws(SystemError) -> [UInt8] {
        let number = rawValue
        return try unsafe [UInt8](unsafeUninitializedCapacityTyped: count) { (buffer) throws(SystemError) -> Int in
            var done = 0
            while done < count {
                let part = unsafe UnsafeMutableBufferPointer(rebasing: buffer[done..<count])
                let got = try checked("pread") {
                    unsafe Glibc.pread(number, part.baseAddress, part.count, offset + done)
                }
                if got == 0 { break }
                done += got
            }
            return done
        }
    }
}

extension [UInt8] {
    /// The standard initialiser rethrows untyped errors; this one keeps the type.
    fileprivate init(
        unsafeUninitializedCapacityTyped capacity: Int,
        _ fill: (UnsafeMutableBufferPointer<UInt8>) throws(SystemError) -> Int
    ) throws(SystemError) {
        var failure: SystemError?
        self = unsafe Array(unsafeUninitializedCapacity: capacity) { buffer, count in
            do throws(SystemError) {
                count = try unsafe fill(buffer)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
