import Linux
import Testing

@testable import Snapshots

/// Tables that are decoded when a call asks for rows, or piece by piece when nothing else is to do.
@Suite struct RowTablesTests {
    /// 1,000 rows of 1,200 bytes: 37 chunks, most rows in one, some across two.
    private static let table = Tensor.weights("table", .f32, shape: [1000, 300], access: .rows)
    private static let rowByteCount = 1200
    private static let tensors = [Tensor.weights("weight", .f32, shape: [64, 64]), table, Tensor.text("task", "{}")]

    private func load(_ file: SnapshotFile) throws -> LoadedSnapshot {
        try LoadedSnapshot(file: file.open(), verifying: .checksums, leavingRows: true)
    }

    private func row(_ number: Int, of bytes: [UInt8]) -> ArraySlice<UInt8> {
        bytes[number * Self.rowByteCount..<(number + 1) * Self.rowByteCount]
    }

    @Test func `rows that a call needs are there, and not the others`() throws {
        let snapshot = try load(try SnapshotFile(Self.tensors))
        let rows = try #require(snapshot.rows)
        #expect(try snapshot.bytes(of: "weight") == Self.tensors[0].bytes)
        #expect(try snapshot.bytes(of: "table").allSatisfy { $0 == 0 })
        let wanted = [999, 0, 54, 500, 500]
        try rows.need(rows: wanted, of: "table", rowByteCount: Self.rowByteCount)
        let bytes = try snapshot.bytes(of: "table")
        for number in wanted { #expect(row(number, of: bytes) == row(number, of: Self.table.bytes), "\(number)") }
        #expect(row(300, of: bytes).allSatisfy { $0 == 0 })
        #expect(!rows.isComplete)
    }

    @Test func `rows that no table has, and tables that are none, ask for nothing`() throws {
        let snapshot = try load(try SnapshotFile(Self.tensors))
        let rows = try #require(snapshot.rows)
        try rows.need(rows: [-1, 1000, .max], of: "table", rowByteCount: Self.rowByteCount)
        try rows.need(rows: [0], of: "weight", rowByteCount: Self.rowByteCount)
        try rows.need(rows: [0], of: "absent", rowByteCount: Self.rowByteCount)
        #expect(try snapshot.bytes(of: "table").allSatisfy { $0 == 0 })
    }

    @Test(arguments: [[], [3, 700]]) func `piece by piece the table becomes whole`(before: [Int]) throws {
        let snapshot = try load(try SnapshotFile(Self.tensors))
        let rows = try #require(snapshot.rows)
        try rows.need(rows: before, of: "table", rowByteCount: Self.rowByteCount)
        var steps = 0
        while try rows.decodeNext() { steps += 1 }
        #expect(rows.isComplete && steps == 37 - before.count)
        #expect(try snapshot.bytes(of: "table") == Self.table.bytes)
        #expect(try !rows.decodeNext())
    }

    @Test func `without leave to wait the whole is decoded at once`() throws {
        let snapshot = try SnapshotFile(Self.tensors).load(.checksums)
        #expect(snapshot.rows == nil)
        #expect(try snapshot.bytes(of: "table") == Self.table.bytes)
    }

    @Test func `a twin of a table is served by the table`() throws {
        var twin = Self.table
        twin.name = "twin"
        let snapshot = try load(try SnapshotFile(Self.tensors + [twin]))
        let rows = try #require(snapshot.rows)
        try rows.need(rows: [10], of: "twin", rowByteCount: Self.rowByteCount)
        #expect(row(10, of: try snapshot.bytes(of: "table")) == row(10, of: Self.table.bytes))
    }

    @Test func `damage is found when the row is asked for, and by the piecewise decoding`() throws {
        let file = try SnapshotFile(Self.tensors)
        let entry = try #require(try SnapshotIndex(reading: file.open()).entries.first { $0.name == "table" })
        let place = entry.places()[2]
        let byte = try file.open().pread(count: 1, at: place.fileOffset + 100)
        try file.open().pwrite([byte[0] ^ 4], at: place.fileOffset + 100)
        let rows = try #require(try load(file).rows)
        try rows.need(rows: [0, 999], of: "table", rowByteCount: Self.rowByteCount)
        let row = place.target.lowerBound - entry.arenaOffset + 1
        #expect(throws: SnapshotError.self) {
            try rows.need(rows: [row / Self.rowByteCount + 1], of: "table", rowByteCount: Self.rowByteCount)
        }
        #expect(throws: SnapshotError.self) { while try rows.decodeNext() {} }
        #expect(try !rows.decodeNext() && !rows.isComplete)
    }

    @Test func `everything beside the tables is read-only, and a whole table too`() async {
        await #expect(processExitsWith: .signal(11)) {
            let snapshot = try RowTablesTests().load(try SnapshotFile(RowTablesTests.tensors))
            try RowTablesTests.write(to: "task", of: snapshot)
        }
        await #expect(processExitsWith: .signal(11)) {
            let snapshot = try RowTablesTests().load(try SnapshotFile(RowTablesTests.tensors))
            while try snapshot.rows?.decodeNext() == true {}
            try RowTablesTests.write(to: "table", of: snapshot)
        }
    }

    private static func write(to name: String, of snapshot: LoadedSnapshot) throws {
        let entry = try #require(snapshot.entry(name))
        snapshot.withBytes(of: entry) { bytes in
            bytes.withUnsafeBytes { bytes in
                bytes.baseAddress.map { UnsafeMutableRawPointer(mutating: $0).storeBytes(of: 1, as: UInt8.self) }
            }
        }
    }

    @Test(arguments: [1, 2, 5]) func `any number of threads decodes the same`(threads: Int) throws {
        let tensors = (0..<4).map { Tensor.weights("\($0)", .f32, shape: [1500, 400], seed: UInt64($0)) }
        let file = try SnapshotFile(tensors)
        let snapshot = try LoadedSnapshot(file: file.open(), verifying: .checksums, threadsMax: threads)
        for tensor in tensors { #expect(try snapshot.bytes(of: tensor.name) == tensor.bytes) }
    }

    @Test(arguments: [1, 2]) func `the first of several damages is told, whichever thread met it`(threads: Int) throws {
        let tensors = (0..<4).map { Tensor.weights("\($0)", .f32, shape: [1500, 400], seed: UInt64($0)) }
        let file = try SnapshotFile(tensors)
        let entries = try SnapshotIndex(reading: file.open()).entries
        for entry in entries[1...] { try file.open().pwrite([0xff, 0xff], at: entry.fileOffset + 1000) }
        let error = #expect(throws: SnapshotError.self) {
            try LoadedSnapshot(file: file.open(), verifying: .checksums, threadsMax: threads)
        }
        #expect(error?.description.contains("entry \"1\"") == true)
    }
}
