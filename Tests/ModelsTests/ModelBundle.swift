import Foundation
import Inference
import Kernels

@testable import Models

/// A bundle in memory, as the packer would see it in its archive.
struct ModelBundle {
    // Not at 0, so that an offset that forgets where its file begins is found out.
    var bytes = [UInt8](repeating: 0xAA, count: 13)
    var files = ModelFiles(ranges: [:])

    mutating func add(_ path: String, _ contents: [UInt8]) {
        files.ranges[path] = bytes.count..<bytes.count + contents.count
        bytes += contents
    }

    mutating func add(_ path: String, _ text: String) {
        add(path, Array(text.utf8))
    }

    static func fixture(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
        return [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    func importModel(_ source: String, for task: TextTask = .embed) throws(ModelError) -> ImportedModel {
        let engine = try ModelImporter.importModel(
            source: source,
            for: task,
            of: files,
            in: bytes.span.bytes
        )
        guard case .plan(let model) = engine else { throw .unsupported("\(source) is a graph") }
        return model
    }

    /// The message with which the model is refused; nil where it is not.
    func refusal(_ source: String) -> ModelError? {
        do throws(ModelError) {
            _ = try ModelImporter.importModel(source: source, of: files, in: bytes.span.bytes)
            return nil
        } catch {
            return error
        }
    }

    /// A runner of the model, its weights made as the packer makes them.
    func runner(_ model: ImportedModel) throws -> PlanRunner {
        let views = views(of: model)
        return try PlanRunner(plan: model.plan) { views[$0] }
    }

    /// The model's weights by name, made as the packer makes them.
    func views(of model: ImportedModel) -> [String: WeightView] {
        var views: [String: WeightView] = [:]
        for (weight, source) in zip(model.plan.weights, model.sources) {
            views[weight.name] = source.withBytes(in: bytes.span.bytes) { span in
                // Never given back: a test's models are small, and the views outlive this function.
                let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: span.byteCount, alignment: 64)
                span.withUnsafeBytes { copy.copyMemory(from: $0) }
                return WeightView(unsafe: UnsafeRawBufferPointer(copy))
            }
        }
        return views
    }
}

/// A generator that gives the same numbers each time.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        // splitmix64
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// The bytes with a few of them changed, cut out or doubled.
    mutating func mutant(of bytes: [UInt8]) -> [UInt8] {
        var mutant = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) where !mutant.isEmpty {
            let place = Int.random(in: 0..<mutant.count, using: &self)
            switch UInt8.random(in: 0..<6, using: &self) {
            case 0: mutant[place] = UInt8.random(in: 0...255, using: &self)
            case 1: mutant[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 2: mutant[place] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &self) ?? 0
            case 3: mutant.removeSubrange(place..<min(mutant.count, place + 8))
            case 4: mutant.insert(contentsOf: mutant[place..<min(mutant.count, place + 8)], at: place)
            default: mutant.removeSubrange(place...)
            }
        }
        return mutant
    }
}
