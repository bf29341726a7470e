import Testing

@testable import Manifests

struct ManifestRangesTests {
    @Test func `a parsed manifest with defaults is within bounds`() throws {
        #expect(try Manifest.parse(yaml: "name: plain\nruntime: model\n", file: "function.yaml").isWithinBounds)
    }

    static let beyond: [@Sendable (inout Manifest) -> Void] = [
        { $0.scaling.min = -1 },
        { $0.scaling.max = 0 },
        { $0.scaling = Scaling(min: 3, max: 2) },
        { $0.scaling.idleMilliseconds = -1 },
        { $0.limits.timeoutMilliseconds = .max },
        { $0.limits.timeoutMilliseconds = 0 },
        { $0.limits.payloadBytes = .max },
        { $0.limits.memoryBytes = .max },
        { $0.concurrency = 0 },
        { $0.concurrency = 65 },
        { $0.batching = Batching(max: 1) },
        { $0.batching = Batching(max: 129) },
        { $0.batching = Batching(delayMilliseconds: -1) },
        {
            $0.batching = Batching()
            $0.concurrency = 2
        },
        { $0.name = "../up" },
        { $0.environment = ["A": String(repeating: "x", count: 5000)] },
    ]

    @Test(arguments: beyond.indices)
    func `a number that no parser would have let through is beyond them`(index: Int) {
        var manifest = Manifest(name: "plain")
        Self.beyond[index](&manifest)
        #expect(!manifest.isWithinBounds)
    }
}
