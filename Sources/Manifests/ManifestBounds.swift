/// Every limit and default of `function.yaml`, argued where it stands.
package enum ManifestBounds {
    /// A manifest is read whole before anything is known of it; real ones are under 2 KiB, a thousand labels under 32.
    package static let fileBytesMax = 64 << 10
    /// YAML aliases can make a small file expand without bound, and a manifest has no use for them.
    ///
    /// Up to this many things that look like one are let through to the parser, since a description may contain such
    /// text.
    static let aliasLookalikesMax = 8

    /// A DNS label, so that a name may become a host name.
    static let nameBytesMax = 63
    /// A sentence or a paragraph, as `thaw list` can show it.
    static let descriptionBytesMax = 1 << 10
    static let pathBytesMax = 255
    static let routeBytesMax = 255
    static let labelBytesMax = 255
    /// Names and values together: the environment travels in one control message to the template.
    package static let environmentBytesMax = 4 << 10

    /// Long enough for a slow call on a slow node, short enough that a caller has not given up.
    package static let timeoutMillisecondsDefault = 30_000
    /// What AWS Lambda allows, and with it the gateways in front of functions.
    package static let timeoutMillisecondsMax = 15 * 60 * 1000
    /// A large photo or an hour of text; more is a job for object storage.
    package static let payloadBytesDefault = 16 << 20
    /// A body travels to the worker in one piece and is held in memory twice.
    package static let payloadBytesMax = 64 << 20
    /// Less does not hold the worker program itself.
    static let memoryBytesMin: UInt64 = 4 << 20
    static let memoryBytesMax: UInt64 = 1 << 40

    /// Memory of a worker of code where the manifest names none: an interpreter with numerical libraries, and its data.
    package static let codeMemoryBytesDefault: UInt64 = 512 << 20
    /// What AWS Lambda gives.
    package static let tmpBytesDefault: UInt64 = 512 << 20
    static let tmpBytesMax: UInt64 = 1 << 40
    /// What AWS Lambda gives a function to start in.
    package static let initMillisecondsDefault = 10_000
    static let handlerBytesMax = 255
    static let callsMax = 64
    /// More are a job for the API of schedules.
    static let schedulesMax = 32
    /// What EventBridge Scheduler takes.
    static let expressionBytesMax = 256
    static let zoneBytesMax = 50
    static let inputBytesMax = 8 << 10
    /// What AWS Lambda takes.
    package static let layersMax = 5

    /// Keeps the workers of a burst for the next one, and gives the memory back before anyone asks for it.
    package static let idleMillisecondsDefault = 10_000
    static let idleMillisecondsMax = 24 * 60 * 60 * 1000
    /// Processes of one function on one node; far above the cores of any.
    static let workersMax = 1024
    /// Calls that one worker holds: they lie in its ring and are served in their order, so that more than a ring of
    /// sentences would only wait there instead of in the queue.
    static let concurrencyMax = 64

    /// A relative difference of 0.05 between two vectors of length one is a cosine of 0.99875: neighbours in a search keep
    /// their order but for near ties.
    package static let toleranceDefault = 0.05
    /// Beyond it a result has nothing to do with its reference.
    static let toleranceMax = 1.0

    /// Sentences of one batch: past 32 the products are as fast as they get, and the first waits for the last.
    package static let batchDefault = 32
    static let batchMax = 128
    /// Half of a short sentence's own time.
    package static let batchDelayDefault = 2
    /// A caller waits so long for nothing at the worst.
    static let batchDelayMillisecondsMax = 1000

    /// Attempts of an event or a record after the first: what AWS takes for streams.
    static let retriesMax = 10_000
    /// What a queue may keep at the most.
    static let ageMillisecondsMax = 14 * 24 * 60 * 60 * 1000
    static let sourcesMax = 16
    static let recordsMax = 10_000
    static let windowMillisecondsMax = 300_000
    static let urlBytesMax = 2048

    /// First path segments that the doors keep for themselves.
    package static let reservedRoutes = [
        "2014-11-13", "2015-03-31", "2016-08-19", "2017-03-31", "2017-10-31", "2018-06-01", "2018-10-31", "2019-09-25",
        "2019-09-30", "2020-04-22", "2020-06-30", "2021-07-20", "2021-10-31", "2021-11-15", "2024-08-31", "2025-11-30",
        "2025-12-01", "code", "events", "functions", "healthz", "metrics", "pools", "predict", "readyz",
        "receipts", "schedule-groups", "schedules", "sources", "tags", "triggers", "uploads", "url", "v1", "v2",
    ]
}
