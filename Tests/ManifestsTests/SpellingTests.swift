import Testing

@testable import Manifests

@Suite struct `A misspelled word` {
    @Test(arguments: [("tiemout", "timeout"), ("Memory", "memory"), ("payloads", "payload"), ("memroy", "memory")])
    func `is taken for its neighbour`(word: String, neighbour: String) {
        #expect(Spelling.nearest(to: word, among: ["memory", "timeout", "payload"]) == neighbour)
    }

    @Test(arguments: ["", "cpu", "timing", "x", String(repeating: "memory", count: 100)])
    func `is taken for nothing where nothing is near`(word: String) {
        #expect(Spelling.nearest(to: word, among: ["memory", "timeout", "payload", "min"]) == nil)
    }
}
