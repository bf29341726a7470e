// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "hello-swift",
    dependencies: [.package(name: "thaw", path: "../..")],
    targets: [
        .executableTarget(name: "bootstrap", dependencies: [.product(name: "ThawFunction", package: "thaw")])
    ]
)
