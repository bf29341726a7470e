import Foundation
import Snapshots

/// Traces of the Azure Functions 2019 layout: four columns of names, then calls in each minute.
extension ArrivalTrace {
    /// Ten times the largest sample that is in use; a compressed file may claim anything.
    private static let byteCountMax = 256 << 20

    /// Reads the one `*invocations.csv`, or `.csv.zst`, of a directory.
    init(directory: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory).filter {
            $0.hasSuffix("invocations.csv") || $0.hasSuffix("invocations.csv.zst")
        }
        guard let name = names.min() else { throw PolicyBenchError.noTrace(directory) }
        let path = directory + "/" + name
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        if name.hasSuffix(".zst") { bytes = try ZstdFile.decompress(bytes, byteCountMax: Self.byteCountMax) }
        try self.init(csv: bytes, path: path)
    }

    /// - Parameter csv: a header, then a line a function.
    init(csv: [UInt8], path: String) throws {
        let lines = csv.split(separator: UInt8(ascii: "\n"))
        guard let header = lines.first else { throw PolicyBenchError.malformed(path, line: 1) }
        let columns = header.count { $0 == UInt8(ascii: ",") } + 1
        guard columns > 4 else { throw PolicyBenchError.malformed(path, line: 1) }
        self.init(minutes: columns - 4, functions: [], callCount: 0)
        for (number, line) in lines.enumerated().dropFirst() {
            let fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            guard fields.count == columns else { throw PolicyBenchError.malformed(path, line: number + 1) }
            var arrivals: [Int] = []
            for (minute, field) in fields.dropFirst(4).enumerated() {
                let text = String(decoding: field, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
                guard let calls = UInt32(text) else { throw PolicyBenchError.malformed(path, line: number + 1) }
                if calls > 0 { arrivals.append(minute) }
                callCount += Int(calls)
            }
            if !arrivals.isEmpty { functions.append(arrivals) }
        }
        guard !functions.isEmpty else { throw PolicyBenchError.malformed(path, line: lines.count) }
    }
}

/// Why there was nothing to replay.
enum PolicyBenchError: Error, CustomStringConvertible {
    case noTrace(String)
    case malformed(String, line: Int)

    var description: String {
        switch self {
        case .noTrace(let directory):
            "\(directory) holds no *invocations.csv or *invocations.csv.zst: name the directory of an Azure trace"
        case .malformed(let path, let line):
            "line \(line) of \(path) is not four names and a count a minute, as its header says"
        }
    }
}
