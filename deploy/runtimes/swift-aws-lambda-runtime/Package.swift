// swift-tools-version: 6.2
import PackageDescription

// `deploy/prove-runtimes` puts the checkout of the runtime beside this file.
let package = Package(
    name: "official-runtime",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(path: "swift-aws-lambda-runtime", traits: ["FoundationJSONSupport"]),
        // Newer ones have a second initializer of a level, and release 2.4.0 of the runtime does not compile with both.
        .package(url: "https://github.com/apple/swift-log.git", "1.6.0"..<"1.8.0"),
    ],
    targets: [
        .executableTarget(
            name: "bootstrap",
            dependencies: [.product(name: "AWSLambdaRuntime", package: "swift-aws-lambda-runtime")]
        )
    ]
)
