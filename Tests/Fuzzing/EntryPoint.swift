import Foundation

/// libFuzzer's own loop, from the runtime that `-sanitize=fuzzer` links.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ argumentCount: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The parser under test, named by the environment: libFuzzer owns the command line.
private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["THAW_FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
        FileHandle.standardError.write(Data("no parser is called \"\(name)\"; there are \(names)\n".utf8))
        exit(2)
    }
    return target
}()

@main
enum Fuzz {
    /// `thaw-fuzz --seeds FOLDER CORPUS` writes seeds and ends, `--names` says what there is to fuzz; any other arguments are
    /// libFuzzer's.
    static func main() throws {
        if CommandLine.arguments.dropFirst().first == "--names" {
            for target in FuzzTarget.allCases { print(target.rawValue) }
            return
        }
        if CommandLine.arguments.dropFirst().first == "--seeds", CommandLine.arguments.count == 4 {
            let folders = CommandLine.arguments.suffix(2).map { URL(fileURLWithPath: $0) }
            return try FuzzSeeds.write(to: folders[0], corpus: folders[1])
        }
        var argumentCount = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        let status = unsafe runFuzzer(&argumentCount, &arguments) { start, count in
            unsafe target.run(Array(UnsafeBufferPointer(start: start, count: count)))
            return 0
        }
        exit(status)
    }
}
