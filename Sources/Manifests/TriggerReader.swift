/// What becomes of events of a function: of calls that nobody waits for.
package struct EventSettings: Codable, Hashable, Sendable {
    /// Attempts after the first; nil is the node's default.
    package var retries: Int?
    /// After which an event is given up; nil is the node's default.
    package var ageSecondsMax: Int?
    /// Who is told: a function's name, `queue:NAME`, an ARN, a web address, `file:NAME`.
    package var onSuccess: String?
    package var onFailure: String?

    package init(
        retries: Int? = nil,
        ageSecondsMax: Int? = nil,
        onSuccess: String? = nil,
        onFailure: String? = nil
    ) {
        self.retries = retries
        self.ageSecondsMax = ageSecondsMax
        self.onSuccess = onSuccess
        self.onFailure = onFailure
    }
}

/// A queue, a stream, a bucket or a folder that feeds a function.
package struct SourceSettings: Codable, Hashable, Sendable {
    /// As `redis://HOST/0?stream=NAME`; `${NAME}` in it is a secret of the function.
    package var url: String
    /// Records of one call.
    package var batch: Int?
    /// How long records gather before a batch goes that is not full.
    package var windowSeconds: Int?
    /// Patterns in JSON; a record that none holds for never reaches the function.
    package var filters: [String]
    /// The reply names the records that failed.
    package var reportsFailures: Bool
    /// Attempts after the first; nil for as many as it takes.
    package var retries: Int?
    package var ageSecondsMax: Int?
    /// A failing batch of a stream is halved.
    package var bisects: Bool
    /// Batches of a queue that run at once.
    package var concurrency: Int?
    /// Who is told of records that are given up, as in ``EventSettings/onFailure``.
    package var onFailure: String?

    package init(
        url: String,
        batch: Int? = nil,
        windowSeconds: Int? = nil,
        filters: [String] = [],
        reportsFailures: Bool = false,
        retries: Int? = nil,
        ageSecondsMax: Int? = nil,
        bisects: Bool = false,
        concurrency: Int? = nil,
        onFailure: String? = nil
    ) {
        self.url = url
        self.batch = batch
        self.windowSeconds = windowSeconds
        self.filters = filters
        self.reportsFailures = reportsFailures
        self.retries = retries
        self.ageSecondsMax = ageSecondsMax
        self.bisects = bisects
        self.concurrency = concurrency
        self.onFailure = onFailure
    }
}

/// The sections of a manifest that say what calls the function beside its callers.
extension ManifestReader {
    static let eventsKeys = ["retries", "age", "onSuccess", "onFailure"]
    static let sourceKeys = [
        "url", "batch", "window", "filters", "partialFailures", "retries", "age", "bisect", "concurrency", "onFailure",
    ]

    func events(_ node: ManifestNode) throws(ManifestError) -> EventSettings {
        let fields = try node.fields(of: "events", known: Self.eventsKeys)
        var events = EventSettings()
        if let node = fields["retries"] {
            events.retries = try node.integer("events.retries", in: 0...ManifestBounds.retriesMax)
        }
        if let node = fields["age"] { events.ageSecondsMax = try age(node, "events.age") }
        if let node = fields["onSuccess"] { events.onSuccess = try destination(node, "events.onSuccess") }
        if let node = fields["onFailure"] { events.onFailure = try destination(node, "events.onFailure") }
        return events
    }

    func sources(_ node: ManifestNode) throws(ManifestError) -> [SourceSettings] {
        var sources: [SourceSettings] = []
        for element in try node.elements(of: "sources") { sources.append(try source(element)) }
        guard sources.count <= ManifestBounds.sourcesMax else {
            throw node.error("sources names \(sources.count); at most \(ManifestBounds.sourcesMax) are taken")
        }
        guard Set(sources.map(\.url)).count == sources.count else { throw node.error("sources names a url twice") }
        return sources
    }

    private func source(_ node: ManifestNode) throws(ManifestError) -> SourceSettings {
        let fields = try node.fields(of: "a source", known: Self.sourceKeys)
        guard let urlNode = fields["url"] else {
            throw node.error("url is missing; a source is named by it, such as redis://HOST:6379/0?stream=NAME")
        }
        let url = try urlNode.text("url")
        guard url.utf8.count <= ManifestBounds.urlBytesMax, url.contains("://") || url.hasPrefix("queue:") else {
            throw urlNode.error(
                "url should be the address of a source, such as redis://HOST/0?stream=NAME or queue:NAME"
            )
        }
        var source = SourceSettings(url: url)
        if let node = fields["batch"] { source.batch = try node.integer("batch", in: 1...ManifestBounds.recordsMax) }
        if let node = fields["window"] {
            source.windowSeconds = try node.milliseconds("window", in: 0...ManifestBounds.windowMillisecondsMax) / 1000
        }
        for pattern in try fields["filters"]?.elements(of: "filters") ?? [] {
            source.filters.append(try pattern.text("a filter, which is JSON in quotes"))
        }
        if let node = fields["partialFailures"] { source.reportsFailures = try node.bool("partialFailures") }
        if let node = fields["retries"] {
            source.retries = try node.integer("retries", in: 0...ManifestBounds.retriesMax)
        }
        if let node = fields["age"] { source.ageSecondsMax = try age(node, "age") }
        if let node = fields["bisect"] { source.bisects = try node.bool("bisect") }
        if let node = fields["concurrency"] {
            source.concurrency = try node.integer("concurrency", in: 1...ManifestBounds.workersMax)
        }
        if let node = fields["onFailure"] { source.onFailure = try destination(node, "onFailure") }
        return source
    }

    private func age(_ node: ManifestNode, _ section: String) throws(ManifestError) -> Int {
        try node.milliseconds(section, in: 60_000...ManifestBounds.ageMillisecondsMax) / 1000
    }

    /// Only its form: whether it is there, the deploy says.
    private func destination(_ node: ManifestNode, _ section: String) throws(ManifestError) -> String {
        let text = try node.text(section)
        let isKnown =
            Manifest.isName(text) || text.hasPrefix("arn:") || text.hasPrefix("https://") || text.hasPrefix("http://")
            || text.hasPrefix("queue:") || text.hasPrefix("file:")
        guard isKnown, text.utf8.count <= ManifestBounds.urlBytesMax else {
            throw node.error(
                "\(section) should be a function's name, queue:NAME, file:NAME, a web address or an ARN, got \(node.kind)"
            )
        }
        return text
    }
}
