import Foundation
import Linux
import Manifests
import Snapshots
import Testing

@testable import thaw_pack

/// The tiny encoder, packed with more lines in its manifest.
private func pack(_ lines: String, golden: [UInt8]? = nil) throws -> (packed: PackedFunction, index: SnapshotIndex) {
    var tar = TarWriter()
    tar.add("function.yaml", "name: a\nmodel: {source: model, task: embed}\n" + lines)
    for file in TinyEncoder.files() { tar.add(file.path, file.contents) }
    if let golden { tar.add("golden.json", golden) }
    let bundle = try FileDescriptor.memoryFile("bundle")
    try bundle.writeAll(tar.finished())
    let snapshot = try FileDescriptor.memoryFile("snapshot")
    let packed = try Packer.pack(bundle, into: try snapshot.duplicate())
    return (packed, try SnapshotIndex(reading: snapshot))
}

private func refusal(_ lines: String, golden: String? = nil) throws -> String? {
    do {
        _ = try pack(lines, golden: golden.map { Array($0.utf8) })
        return nil
    } catch let error as PackRefusal {
        return error.message
    }
}

private let inputs = #""inputs": ["a b c", "d", "b a d c a b"]"#

@Suite struct `A precision` {
    @Test func `of f32 without golden inputs is not measured`() throws {
        #expect(try pack("").packed.manifest.evidence == nil)
        #expect(try pack("precision: f32\n").index.digest == pack("").index.digest)
    }

    @Test(arguments: [(Precision.bf16, ElementType.bf16, 0.02), (.int8, .i8, 0.1)])
    func `is measured against f32 and decides what the weights are`(
        _ precision: Precision,
        _ element: ElementType,
        _ bound: Double
    ) throws {
        let (packed, index) = try pack("precision: \(precision.rawValue)\n")
        let evidence = try #require(packed.manifest.evidence)
        #expect(packed.manifest.precision == precision && evidence.chosen == precision)
        #expect(evidence.reference == .f32OnSamples && evidence.inputCount == 15 && evidence.tolerance == nil)
        let trial = try #require(evidence.trials.first)
        #expect(trial.relativeMax > 0 && trial.relativeMax < bound)
        #expect(trial.cosineMin <= 1 && trial.cosineMin > 1 - bound * bound && trial.absoluteMax > 0)
        #expect(trial.microseconds > 0)
        let products = index.entries.filter { $0.name.hasSuffix("dense.weight") || $0.name.hasSuffix("+kv.weight") }
        #expect(products.count == 4 && products.allSatisfy { $0.element == element })
        #expect(index.entries.filter { $0.name.hasSuffix("bias") }.allSatisfy { $0.element == .f32 })
    }

    @Test func `chosen by the packer is one that stays within the tolerance`() throws {
        let strict = try #require(
            try pack(
                "precision: auto\ngolden: {file: golden.json, tolerance: 0.000001}\n",
                golden: Array("{\(inputs)}".utf8)
            )
            .packed.manifest.evidence
        )
        #expect(strict.chosen == .f32 && strict.trials.map(\.precision) == [.int8, .bf16, .f32])
        #expect(strict.reference == .f32OnGolden && strict.inputCount == 3 && strict.tolerance == 0.000001)
        let loose = try #require(try pack("precision: auto\n").packed.manifest.evidence)
        let fitting = loose.trials.filter { $0.relativeMax <= ManifestBounds.toleranceDefault }
        #expect(fitting.min { $0.microseconds < $1.microseconds }?.precision == loose.chosen)
    }

    @Test func `is told in a sentence's worth`() {
        let trial = PrecisionReport.Trial(
            precision: .bf16,
            cosineMin: 0.99998231,
            absoluteMax: 0.00104321,
            relativeMax: 0.005891,
            microseconds: 1
        )
        let report = PrecisionReport(
            chosen: .bf16,
            reference: .golden,
            inputCount: 7,
            tolerance: 0.05,
            trials: [trial]
        )
        let expected = "bf16: cosine ≥ 0.999982, relative difference ≤ 0.00589, absolute ≤ 0.00104 against golden (7)"
        #expect(report.summary == expected)
    }
}

@Suite struct `Golden results` {
    private let line = "golden: {file: golden.json, tolerance: 0.001}\n"

    @Test func `that are ours let a deploy pass, and others refuse it`() throws {
        // The digits of the model's own results are not known here: what it gives in f32 is 0 away from itself.
        let evidence = try #require(try pack(line, golden: Array("{\(inputs)}".utf8)).packed.manifest.evidence)
        #expect(evidence.chosen == .f32 && evidence.trials.first?.relativeMax == 0)
        let row = (0..<TinyEncoder.hidden).map { Double($0) }
        let wrong = "{\(inputs), \"outputs\": [\(row), \(row), \(row)]}"
        let message = try #require(try refusal(line, golden: wrong))
        #expect(message.hasPrefix("the model's results differ from the golden outputs by "))
        #expect(message.hasSuffix("golden.tolerance allows 0.001: the model is not the one that made them"))
        let coarse = try #require(
            try refusal("precision: int8\ngolden: {file: golden.json, tolerance: 0.000001}\n", golden: "{\(inputs)}")
        )
        #expect(coarse.hasPrefix("the model's results differ from those in f32 by "))
        #expect(coarse.hasSuffix("golden.tolerance allows 1e-06: use precision f32, or allow more"))
    }

    @Test(arguments: [
        (nil, "golden.file: golden.json is missing from the bundle"),
        ("[]", "golden.file: golden.json should hold an array \"inputs\" of 1 to 1024"),
        ("{\"inputs\": []}", "golden.file: golden.json should hold an array \"inputs\" of 1 to 1024"),
        ("{\"inputs\": [[1, 2, 3]]}", "golden.file: golden.json should hold a text at \"inputs\"[0]"),
        ("{\"inputs\": [\"a\", 1]}", "golden.file: golden.json should hold a text at \"inputs\"[1]"),
        (
            "{\"inputs\": [\"a\"], \"outputs\": []}",
            "golden.file: golden.json should hold as many \"outputs\" as inputs, which are 1"
        ),
        (
            "{\"inputs\": [\"a\"], \"outputs\": [[]]}",
            "golden.file: golden.json should hold a list of numbers at \"outputs\"[0]"
        ),
        (
            "{\"inputs\": [\"a\"], \"outputs\": [[1]]}",
            "golden.file: golden.json gives 1 numbers at \"outputs\"[0]; the model gives 16"
        ),
    ])
    func `that do not fit are refused by name`(_ golden: String?, _ message: String) throws {
        #expect(try refusal(line, golden: golden) == message)
    }

    /// Each mutant is packed from start to end, so that by default there are few; `THAW_GOLDEN_MUTANTS=2000` tries more.
    private static let mutantCount = Int(ProcessInfo.processInfo.environment["THAW_GOLDEN_MUTANTS"] ?? "") ?? 8

    @Test func `that were altered are refused or measured`() throws {
        let row = (0..<TinyEncoder.hidden).map { Double($0) }
        let original = Array("{\(inputs), \"outputs\": [\(row), \(row), \(row)]}".utf8)
        var state: UInt64 = 3
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var refused = 0
        for _ in 0..<Self.mutantCount {
            var bytes = original
            for _ in 0...random(3) {
                let place = random(bytes.count)
                switch random(3) {
                case 0: bytes[place] = UInt8(random(256))
                case 1: bytes.remove(at: place)
                default: bytes.insert(Array("[]{},e9-\"".utf8)[random(9)], at: place)
                }
            }
            do {
                _ = try pack("golden: {file: golden.json, tolerance: 1}\n", golden: bytes)
            } catch let error as PackRefusal {
                refused += 1
                #expect(!error.message.isEmpty)
            }
        }
        #expect(refused > Self.mutantCount / 4)
    }
}
