// swift-tools-version: 6.2
import Foundation
import PackageDescription

// One table of targets, one settings loop (see Sources/README.md for what each target is).

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1: Target.Dependency = .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// The two programs that run inside a sandbox link archives, so that they start without a search for libraries.
func systemLibrary(_ name: String, apt package: String) -> Target {
    .systemLibrary(name: name, providers: [.apt([package])])
}

/// A client library of a broker that functions may be fed from: where it is missing, Thaw is built without that broker, and says so
/// to whoever asks for it.
struct BrokerLibrary {
    let module: String
    let header: String
    let package: String

    var isInstalled: Bool { FileManager.default.fileExists(atPath: "/usr/include/" + header) }
}

let brokerLibraries = [
    BrokerLibrary(module: "CHiredis", header: "hiredis/hiredis.h", package: "libhiredis-dev"),
    BrokerLibrary(module: "CNats", header: "nats/nats.h", package: "libnats-dev"),
    BrokerLibrary(module: "CRdkafka", header: "librdkafka/rdkafka.h", package: "librdkafka-dev"),
    BrokerLibrary(module: "CPostgres", header: "postgresql/libpq-fe.h", package: "libpq-dev"),
    BrokerLibrary(module: "CMosquitto", header: "mosquitto.h", package: "libmosquitto-dev"),
].filter(\.isInstalled)

/// Brokers of tests that are built here; those that are not are real servers, where they are installed.
let kafkaMock: [Target] =
    brokerLibraries.contains { $0.module == "CRdkafka" }
    ? [.executableTarget(name: "kafka-mock", dependencies: ["CRdkafka", "Linux"], path: "Tests/KafkaMock")] : []

let libraries: [Target] = [
    .target(name: "CLinux"),
    .target(name: "CKernels"),
    .target(name: "CPlanes"),
    .target(name: "CTaskQueue"),
    .target(name: "Wire"),
    .target(name: "Scheduling"),
    .target(name: "Linux", dependencies: ["CLinux"]),
    .target(name: "Digests", dependencies: ["COpenSSL"]),
    .target(name: "JSON", dependencies: ["CJansson"]),
    .target(name: "Sandboxing", dependencies: ["Linux", "CSeccomp"]),
    .target(name: "Serving", dependencies: ["Sandboxing", "Wire", "Linux"]),
    .target(name: "Snapshots", dependencies: ["Digests", "Linux", "CPlanes", "CZstd"]),
    .target(name: "Kernels", dependencies: ["CKernels"]),
    .target(name: "Inference", dependencies: ["Kernels"]),
    .target(name: "Graphs", dependencies: ["Kernels"]),
    .target(name: "Tokenizing", dependencies: ["JSON"]),
    .target(name: "Tasks", dependencies: ["Inference", "Graphs", "Kernels", "Tokenizing", "JSON", "Wire", "CZlib"]),
    .target(name: "Models", dependencies: ["Inference", "Graphs", "Kernels", "Tokenizing", "JSON"]),
    .target(name: "Manifests", dependencies: [yams]),
    .target(name: "Registry", dependencies: ["Manifests", grdb]),
    .target(name: "Metering", dependencies: ["Scheduling", "Linux", grdb, grdbSQLite]),
    .target(
        name: "Fleet",
        dependencies: ["Scheduling", "Wire", "Linux", logging, nioCore, nioPosix]
    ),
    .target(
        name: "Invoking",
        dependencies: [
            "Scheduling", "Fleet", "Registry", "Metering", "Manifests", "Snapshots", "Wire", "Linux", "Digests",
            logging, nioCore,
        ]
    ),
    .target(name: "Queues", dependencies: ["Metering", "Linux", grdb, grdbSQLite]),
    .target(name: "Secrets", dependencies: ["Linux", crypto, grdb]),
    .target(
        name: "ControlPlane",
        dependencies: ["Invoking", "Registry", "Metering", "Manifests", "Digests", "Linux", grdb, nioCore]
    ),
    .target(
        name: "Events",
        dependencies: [
            "ControlPlane", "Queues", "Fleet", "Invoking", "Metering", "Digests", "Linux", "Wire", logging, nioCore,
            nioPosix,
        ]
    ),
    .target(
        name: "Schedules",
        dependencies: ["ControlPlane", "Events", "Invoking", "Linux", "Metering", grdb, logging, nioCore]
    ),
    .target(
        name: "Doors",
        dependencies: [
            "Schedules", "Events", "Queues", "ControlPlane", "Secrets", "Invoking", "Scheduling", "Registry",
            "Metering",
            "Manifests", "Digests", "Wire",
            nioHTTPTypes, nioHTTPTypesHTTP1, hummingbird, hummingbirdCore, httpTypes, logging, nioCore, nioHTTP1,
            nioPosix, serviceLifecycle,
        ]
    ),
    .target(name: "ThawFunction"),
    .target(name: "Trials", dependencies: [asyncHTTPClient, nioCore, nioHTTP1, nioPosix]),
]

let programs: [Target] = [
    .executableTarget(
        name: "thaw",
        dependencies: [
            "Doors", "Schedules", "Events", "Queues", "ControlPlane", "Secrets", "Invoking", "Fleet", "Scheduling",
            "Registry", "Metering", "Manifests", "Digests",
            "Sandboxing", "Snapshots",
            "Linux", "Wire", "CTaskQueue", argumentParser, asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix,
            serviceLifecycle, unixSignals,
        ]
    ),
    .executableTarget(
        name: "thaw-worker",
        dependencies: ["Serving", "Snapshots", "Tasks", "Inference", "Graphs", "Kernels", "Wire", "Linux"]
    ),
    .executableTarget(
        name: "thaw-jail",
        dependencies: ["Serving", "Sandboxing", "Snapshots", "JSON", "Wire", "Linux"]
    ),
    .executableTarget(
        name: "thaw-pack",
        dependencies: [
            "Models", "Tasks", "Inference", "Graphs", "Kernels", "Tokenizing", "Snapshots", "Sandboxing", "Manifests",
            "JSON", "Wire", "Linux",
        ]
    ),
    .executableTarget(
        name: "thaw-source",
        dependencies: ["JSON", "Linux"] + brokerLibraries.map { .init(stringLiteral: $0.module) }
    ),
    .executableTarget(
        name: "thaw-bench",
        dependencies: [
            "Trials", "Queues", "Metering", "Registry", "Manifests", "Models", "Inference", "Graphs", "Kernels",
            "Sandboxing", "Scheduling",
            "Snapshots", "Tokenizing", "Linux", argumentParser, grdb, nioCore, nioPosix, nioHTTP1,
        ]
    ),
]

func tests(_ room: Target.Dependency, of name: String, with more: [Target.Dependency] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: [room] + more)
}

let testing: [Target] = [
    tests("Wire", of: "Wire"),
    tests("Scheduling", of: "Scheduling"),
    .target(name: "CProbe", dependencies: ["CLinux"], path: "Tests/CProbe"),
    tests("Linux", of: "Linux", with: ["Wire"]),
    tests("Digests", of: "Digests"),
    tests("JSON", of: "JSON"),
    tests("Sandboxing", of: "Sandboxing", with: ["Linux", "CProbe"]),
    tests("Serving", of: "Serving", with: ["Sandboxing", "Wire", "Linux", "fault-worker"]),
    tests("Snapshots", of: "Snapshots", with: ["Linux"]),
    tests("Kernels", of: "Kernels"),
    tests("Inference", of: "Inference", with: ["Kernels"]),
    tests("Graphs", of: "Graphs", with: ["Kernels"]),
    .testTarget(name: "TokenizingTests", dependencies: ["Tokenizing"], exclude: ["Kinds"]),
    tests("Tasks", of: "Tasks", with: ["Inference", "Graphs", "Kernels", "Tokenizing", "JSON", "Wire"]),
    .testTarget(
        name: "ModelsTests",
        dependencies: ["Models", "Inference", "Graphs", "Kernels", "Tasks", "Tokenizing"],
        exclude: ["Fixtures"]
    ),
    tests("Manifests", of: "Manifests", with: [yams]),
    tests("Registry", of: "Registry", with: ["Manifests", grdb]),
    tests("Events", of: "Events", with: ["ControlPlane", "Linux", "Metering", logging, nioPosix]),
    tests("Schedules", of: "Schedules", with: ["ControlPlane", "Events", "Metering", logging, nioCore, nioEmbedded]),
    tests("Queues", of: "Queues", with: ["Metering", grdb]),
    tests("ControlPlane", of: "ControlPlane", with: ["Digests", "Invoking", "Manifests", "Registry", nioCore]),
    tests("Secrets", of: "Secrets", with: [grdb]),
    tests("Metering", of: "Metering", with: ["Linux", "Scheduling", grdb]),
    tests(
        "Fleet",
        of: "Fleet",
        with: ["Scheduling", "Wire", "Linux", logging, nioCore, nioEmbedded, nioPosix]
    ),
    tests("Invoking", of: "Invoking", with: ["Fleet", "Linux", "Snapshots"]),
    tests(
        "Doors",
        of: "Doors",
        with: [
            "ControlPlane", "Digests", "Scheduling", "Invoking", "Registry", "Metering", "Manifests", "Wire",
            hummingbird,
            hummingbirdCore, httpTypes, logging, nioCore, nioEmbedded, nioHTTP1, nioPosix, serviceLifecycle,
        ]
    ),
    .testTarget(name: "HouseTests"),
    .executableTarget(name: "swift-function", dependencies: ["ThawFunction"], path: "Tests/SwiftFunction"),
    .testTarget(name: "RuntimeTests", dependencies: ["Trials", "swift-function"], exclude: ["Python"]),
    tests("ThawFunction", of: "ThawFunction"),
    .testTarget(
        name: "thaw-packTests",
        dependencies: ["thaw-pack", "Manifests", "Models", "Snapshots", "Wire", "Linux"],
        exclude: ["Fixtures"]
    ),
    .testTarget(name: "thaw-jailTests", dependencies: ["thaw-jail", "Linux", "Serving", "JSON", "Wire"]),
    .testTarget(name: "thaw-benchTests", dependencies: ["thaw-bench"]),
    .testTarget(name: "thawTests", dependencies: ["thaw", "Invoking", "Manifests", nioCore, nioPosix]),
    .executableTarget(
        name: "fault-worker",
        dependencies: ["Serving", "Wire", "Linux", "CProbe"],
        path: "Tests/FaultWorker"
    ),
    .testTarget(
        name: "SystemTests",
        dependencies: [
            "Trials", "Invoking", "Registry", "thaw", "thaw-worker", "thaw-jail", "thaw-pack", "thaw-source",
            "fault-worker",
        ] + kafkaMock.map { .init(stringLiteral: $0.name) },
        exclude: ["Clients"]
    ),
]

let package = Package(
    name: "thaw",
    products: [
        .executable(name: "thaw", targets: ["thaw"]),
        .executable(name: "thaw-worker", targets: ["thaw-worker"]),
        .executable(name: "thaw-jail", targets: ["thaw-jail"]),
        .executable(name: "thaw-pack", targets: ["thaw-pack"]),
        .executable(name: "thaw-source", targets: ["thaw-source"]),
        .executable(name: "thaw-bench", targets: ["thaw-bench"]),
        // What authors of functions in Swift build on; the one room that is public.
        .library(name: "ThawFunction", targets: ["ThawFunction"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: libraries + programs + testing
)

// The fuzzer is built by `deploy/fuzz` only, and then nothing else is: everything that it links is instrumented for
// libFuzzer, and of the programs it links their parsers, without their `main`.
if Context.environment["THAW_FUZZING"] != nil {
    package.products = []
    package.targets =
        libraries + [
            .target(
                name: "thaw-pack",
                dependencies: [
                    "Models", "Tasks", "Inference", "Graphs", "Kernels", "Tokenizing", "Snapshots", "Sandboxing",
                    "Manifests", "JSON", "Wire", "Linux",
                ],
                exclude: ["ThawPack.swift"]
            ),
            .target(
                name: "thaw-jail",
                dependencies: ["Serving", "Sandboxing", "Snapshots", "JSON", "Wire", "Linux"],
                exclude: ["main.swift"]
            ),
            .target(
                name: "thaw-bench",
                dependencies: ["Scheduling", "Snapshots"],
                sources: ["PolicyTraceFile.swift", "PolicyReplay.swift"]
            ),
            .executableTarget(
                name: "thaw-fuzz",
                dependencies: [
                    "ControlPlane", "Doors", "Fleet", "Graphs", "Inference", "Invoking", "JSON", "Kernels", "Linux",
                    "Manifests",
                    "Metering", "Models", "Registry", "Scheduling", "Secrets", "Serving", "Snapshots", "Tasks",
                    "Tokenizing", "Wire",
                    "thaw-bench", "thaw-jail", "thaw-pack", httpTypes, nioCore, nioEmbedded, nioHTTP1,
                ],
                path: "Tests",
                sources: [
                    "Fuzzing", "SnapshotsTests/Forgery.swift", "TasksTests/TinyModels.swift",
                    "thaw-packTests/TarWriter.swift",
                ],
                // libFuzzer is C++ and has a `main` too, which the package's own precedes.
                linkerSettings: [.unsafeFlags(["-use-ld=lld", "-lstdc++", "-Xlinker", "--allow-multiple-definition"])]
            ),
        ]
}

package.targets.append(contentsOf: [
    systemLibrary("CZstd", apt: "libzstd-dev"),
    systemLibrary("COpenSSL", apt: "libssl-dev"),
    systemLibrary("CSeccomp", apt: "libseccomp-dev"),
    systemLibrary("CJansson", apt: "libjansson-dev"),
    systemLibrary("CZlib", apt: "zlib1g-dev"),
])
package.targets.append(contentsOf: brokerLibraries.map { systemLibrary($0.module, apt: $0.package) })
if Context.environment["THAW_FUZZING"] == nil { package.targets.append(contentsOf: kafkaMock) }

for target in package.targets {
    switch target.type {
    case .regular, .executable, .test:
        break
    default:
        continue
    }
    if target.name.first == "C", target.name.dropFirst().first?.isUppercase == true {
        // Kernels are slow beyond use without optimisation, also in a debug build: tests run real models.
        target.cSettings = [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]
        continue
    }
    var settings: [SwiftSetting] = [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ]
    // The fuzzer shares files with tests.
    if !target.isTest, target.name != "thaw-fuzz" {
        settings.append(.strictMemorySafety())
    }
    target.swiftSettings = settings
}
