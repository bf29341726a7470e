/// What the template of a code function is told beside what every template is.
package struct CodeBoot: Equatable, Sendable {
    package var version: UInt32
    /// Bytes of files that one worker may keep in `/tmp`.
    package var tmpBytesMax: UInt64
    /// The longest that its program may take to ask for its first call.
    package var initMilliseconds: UInt32
    /// The longest that a call may take, for the program's own report.
    package var timeoutMilliseconds: UInt32
    /// The last descriptor of the order is a file of `NAME=value`, each ended by a zero: what stands in no message.
    package var hasSecrets = false
    /// Its workers' programs are forks of one process: the filter is of that.
    package var hasZygote = false
    /// nil where its program reaches nothing but its caller.
    package var egress: Egress?

    /// Connections to the outside.
    package struct Egress: Equatable, Sendable {
        /// Addresses that stay closed, of 4 bytes or 16: the machine's own.
        package var closed: [[UInt8]] = []

        package init() {}
    }

    private static let closedMax = 255

    package init(version: UInt32, tmpBytesMax: UInt64, initMilliseconds: UInt32, timeoutMilliseconds: UInt32) {
        self.version = version
        self.tmpBytesMax = tmpBytesMax
        self.initMilliseconds = initMilliseconds
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    func write(to writer: inout ByteWriter) {
        writer.append(version)
        writer.append(tmpBytesMax)
        writer.append(initMilliseconds)
        writer.append(timeoutMilliseconds)
        writer.append(UInt8(hasSecrets ? 1 : 0))
        writer.append(UInt8(hasZygote ? 1 : 0))
        writer.append(UInt8(egress == nil ? 0 : 1))
        guard let closed = egress?.closed.prefix(Self.closedMax) else { return }
        writer.append(UInt8(closed.count))
        for address in closed {
            writer.append(UInt8(address.count))
            for byte in address { writer.append(byte) }
        }
    }

    init(reading reader: inout ByteReader) throws(WireError) {
        version = try reader.read(UInt32.self)
        tmpBytesMax = try reader.read(UInt64.self)
        initMilliseconds = try reader.read(UInt32.self)
        timeoutMilliseconds = try reader.read(UInt32.self)
        hasSecrets = try reader.read(UInt8.self) != 0
        hasZygote = try reader.read(UInt8.self) != 0
        guard try reader.read(UInt8.self) != 0 else { return }
        egress = Egress()
        for _ in 0..<(try reader.read(UInt8.self)) {
            let count = try reader.read(UInt8.self)
            guard count == 4 || count == 16 else { throw .unknownKind(count) }
            var address: [UInt8] = []
            for _ in 0..<count { address.append(try reader.read(UInt8.self)) }
            egress?.closed.append(address)
        }
    }
}
