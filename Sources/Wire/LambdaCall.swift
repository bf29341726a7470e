/// What a program of an author's is told of a call, beside its body; the names are the Lambda Runtime API's.
package struct LambdaCall: Equatable, Sendable {
    /// The receipt's id; empty until the scheduler has given the call one.
    package var id: String
    /// When the call's time is over, in milliseconds since 1970; 0 until the scheduler has said so.
    package var deadlineMilliseconds: UInt64
    /// Which function was meant; empty until the scheduler has found it, where the door did not say.
    package var functionARN: String
    /// JSON of the caller's; empty where there is none.
    package var clientContext: String
    /// Empty where there is none.
    package var traceID: String

    package init(
        id: String = "",
        deadlineMilliseconds: UInt64 = 0,
        functionARN: String = "",
        clientContext: String = "",
        traceID: String = ""
    ) {
        self.id = id
        self.deadlineMilliseconds = deadlineMilliseconds
        self.functionARN = functionARN
        self.clientContext = clientContext
        self.traceID = traceID
    }

    /// Whether each part is within the limits of the contract: a door asks before it makes a call of what came.
    package var isWithinLimits: Bool {
        id.utf8.count <= Self.idBytesMax && functionARN.utf8.count <= Self.functionARNBytesMax
            && clientContext.utf8.count <= Self.clientContextBytesMax && traceID.utf8.count <= Self.traceIDBytesMax
    }

    func write(to writer: inout ByteWriter) {
        writer.append(text: id)
        writer.append(deadlineMilliseconds)
        writer.append(text: functionARN)
        writer.append(text: clientContext)
        writer.append(text: traceID)
    }

    init(reading reader: inout ByteReader) throws(WireError) {
        id = try reader.readText(countMax: Self.idBytesMax)
        deadlineMilliseconds = try reader.read(UInt64.self)
        functionARN = try reader.readText(countMax: Self.functionARNBytesMax)
        clientContext = try reader.readText(countMax: Self.clientContextBytesMax)
        traceID = try reader.readText(countMax: Self.traceIDBytesMax)
    }

    private static let idBytesMax = 64
    package static let functionARNBytesMax = 256
    /// What Lambda takes: 3583 bytes of base64, decoded.
    package static let clientContextBytesMax = 3583
    package static let traceIDBytesMax = 256
}
