import Testing

@testable import Manifests

struct TriggerReaderTests {
    private func read(_ yaml: String) throws -> Manifest {
        try Manifest.parse(yaml: "name: f\nruntime: python3\nhandler: app.handler\n" + yaml, file: "function.yaml")
    }

    @Test func `events and sources say everything that can be said`() throws {
        let manifest = try read(
            """
            events: {retries: 4, age: 1h, onSuccess: summary, onFailure: "queue:failed"}
            sources:
              - url: redis://localhost/0?stream=orders
                batch: 20
                window: 5s
                filters: ['{"fields": {"a": ["b"]}}']
                partialFailures: true
                retries: 3
                age: 24h
                bisect: true
                concurrency: 2
                onFailure: https://example.org/hook
              - url: queue:orders
            """
        )
        let events = EventSettings(
            retries: 4,
            ageSecondsMax: 3600,
            onSuccess: "summary",
            onFailure: "queue:failed"
        )
        #expect(manifest.events == events)
        let first = SourceSettings(
            url: "redis://localhost/0?stream=orders",
            batch: 20,
            windowSeconds: 5,
            filters: [#"{"fields": {"a": ["b"]}}"#],
            reportsFailures: true,
            retries: 3,
            ageSecondsMax: 86_400,
            bisects: true,
            concurrency: 2,
            onFailure: "https://example.org/hook"
        )
        #expect(manifest.sources == [first, SourceSettings(url: "queue:orders")])
    }

    @Test(arguments: [
        ("sources: [{batch: 1}]", "url is missing; a source is named by it"),
        ("sources: [{url: orders}]", "url should be the address of a source"),
        ("sources: [{url: 'a://b'}, {url: 'a://b'}]", "sources names a url twice"),
        ("sources: [{url: 'a://b', batch: 0}]", "batch should be between 1 and 10000"),
        ("sources: [{url: 'a://b', bisect: maybe}]", "bisect should be true or false"),
        ("sources: [{url: 'a://b', filter: x}]", "did you mean \"filters\"?"),
        ("sources: {url: 'a://b'}", "sources should be a list"),
        ("events: {onSuccess: 'Not A Name'}", "events.onSuccess should be a function's name, queue:NAME"),
        ("events: {age: 5s}", "events.age should be between 60000 ms"),
    ])
    func `what is wrong is said in a sentence`(yaml: String, message: String) {
        #expect {
            _ = try read(yaml)
        } throws: { error in
            "\(error)".contains(message)
        }
    }
}
