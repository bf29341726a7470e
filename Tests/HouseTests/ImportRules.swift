/// Who may import whom: the one table that says it, beside what the compiler checks.
enum ImportRules {
    /// Modules that each room may import, beside the standard library's.
    ///
    /// A room that is missing here has no place in the house.
    static let allowed: [String: Set<String>] = [
        "Wire": [],
        "Scheduling": [],
        "Linux": ["CLinux", "Glibc"],
        "Digests": ["COpenSSL"],
        "JSON": ["CJansson"],
        "Sandboxing": ["Linux", "CSeccomp"],
        "Snapshots": ["Digests", "Linux", "CPlanes", "CZstd"],
        "Kernels": ["CKernels"],
        "Inference": ["Kernels"],
        "Graphs": ["Kernels"],
        "Tokenizing": ["JSON"],
        "Tasks": ["Inference", "Graphs", "Kernels", "Tokenizing", "JSON", "Wire", "CZlib"],
        "Models": ["Inference", "Graphs", "Kernels", "Tokenizing", "Tasks", "JSON"],
        "Manifests": ["Yams"],
        "Registry": ["Manifests", "GRDB"],
        "Secrets": ["Linux", "Crypto", "GRDB"],
        "Metering": ["Linux", "Scheduling", "GRDB", "GRDBSQLite", "Dispatch"],
        "Queues": ["Metering", "Linux", "GRDB", "GRDBSQLite"],
        "Fleet": ["Scheduling", "Wire", "Linux", "Sandboxing", "Logging", "NIOCore", "NIOPosix"],
        "Invoking": [
            "Scheduling", "Fleet", "Registry", "Metering", "Manifests", "Wire", "Linux", "Snapshots", "Digests",
            "Logging", "NIOCore",
        ],
        "ControlPlane": ["Invoking", "Registry", "Metering", "Manifests", "Digests", "Linux", "GRDB", "NIOCore"],
        "Events": [
            "ControlPlane", "Queues", "Fleet", "Invoking", "Metering", "Digests", "Linux", "Wire", "Logging", "NIOCore",
            "NIOPosix",
        ],
        "Schedules": ["ControlPlane", "Events", "Invoking", "Linux", "Metering", "GRDB", "Logging", "NIOCore"],
        "Doors": [
            "Schedules", "Events", "Queues", "ControlPlane", "Secrets", "Invoking", "Digests", "Scheduling", "Registry",
            "Metering", "Manifests", "Wire",
            "Hummingbird", "HummingbirdCore",
            "HTTPTypes", "Logging", "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOPosix",
            "ServiceLifecycle",
        ],
        "thaw": [
            "Doors", "Schedules", "Events", "Queues", "ControlPlane", "Secrets", "Invoking", "Fleet", "Scheduling",
            "Registry", "Metering", "Manifests", "Digests",
            "Sandboxing", "Snapshots",
            "Linux", "Wire", "ArgumentParser", "AsyncHTTPClient", "Logging", "NIOCore", "NIOHTTP1", "NIOPosix",
            "ServiceLifecycle", "UnixSignals", "Dispatch", "CTaskQueue",
        ],
        "Serving": ["Sandboxing", "Snapshots", "Tasks", "Inference", "Kernels", "Wire", "Linux"],
        // It is linked into programs of others, who are to build nothing else of the house.
        "ThawFunction": ["Glibc"],
        "Trials": ["AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOPosix"],
        "thaw-worker": [
            "Serving", "Sandboxing", "Snapshots", "Tasks", "Inference", "Graphs", "Kernels", "Wire", "Linux",
        ],
        "thaw-jail": ["Serving", "Sandboxing", "Snapshots", "JSON", "Wire", "Linux"],
        // What a build has of these depends on what is installed.
        "thaw-source": ["JSON", "Linux", "CHiredis", "CNats", "CRdkafka", "CPostgres", "CMosquitto"],
        "thaw-pack": [
            "Models", "Tasks", "Inference", "Graphs", "Kernels", "Tokenizing", "Snapshots", "Sandboxing", "Manifests",
            "JSON", "Wire", "Linux",
        ],
        "thaw-bench": [
            "Trials", "Queues", "Metering", "Registry", "Manifests", "Models", "Inference", "Graphs", "Kernels",
            "Sandboxing", "Scheduling",
            "Snapshots", "Tokenizing", "Linux", "ArgumentParser", "GRDB", "NIOCore", "NIOPosix",
            "NIOHTTP1",
        ],
    ]

    /// They import nothing at all: time, chance and the machine come in as parameters.
    static let pure: Set<String> = ["Scheduling", "Wire"]

    /// What `thaw-worker` links: it starts in milliseconds because no Foundation is in it.
    static let inTheWorker: Set<String> = [
        "Wire", "Linux", "Digests", "JSON", "Sandboxing", "Snapshots", "Kernels", "Inference", "Graphs", "Tokenizing",
        "Tasks", "thaw-worker", "thaw-jail",
    ]

    private static let foundations: Set<String> = ["Foundation", "FoundationEssentials"]
    private static let standard: Set<String> = ["Swift", "Synchronization"]

    /// The modules that a file imports, with their lines.
    static func imports(of file: SourceFile) -> [(line: Int, module: String)] {
        let access: Set<Substring> = ["package", "public", "internal", "private", "fileprivate"]
        // `import struct Foundation.Date` names a declaration of the module.
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        return file.codeLines.compactMap { number, text in
            var words = text.split(separator: " ", maxSplits: 6)[...]
            while let word = words.first, word.hasPrefix("@") || access.contains(word) { words.removeFirst() }
            guard words.first == "import" else { return nil }
            let name = words.dropFirst().first { !kinds.contains($0) } ?? ""
            return (number, String(name.prefix { $0 != "." }))
        }
    }

    /// Imports of one file of `Sources/` that the table does not know.
    static func violations(in file: SourceFile) -> [Violation] {
        guard let modules = allowed[file.room] else {
            let message = "the room \(file.room) is not in ImportRules.allowed; say there whom it may import"
            return [Violation(path: file.path, line: 0, message: message)]
        }
        return imports(of: file).compactMap { line, module in
            refusal(of: module, in: file.room, allowed: modules).map {
                Violation(path: file.path, line: line, message: $0)
            }
        }
    }

    private static func refusal(of module: String, in room: String, allowed modules: Set<String>) -> String? {
        if pure.contains(room) {
            return module == "Swift" ? nil : "\(room) imports nothing, not \(module); take what you need as a parameter"
        }
        if module == "Glibc" || module == "Musl" {
            return modules.contains(module)
                ? nil : "only Linux imports \(module); call a function of Linux, or add one there"
        }
        if foundations.contains(module) {
            return inTheWorker.contains(room)
                ? "\(module) may not be linked into thaw-worker; use the standard library, Linux or JSON" : nil
        }
        if modules.contains(module) || standard.contains(module) { return nil }
        return "\(room) may not import \(module); it may import \(modules.sorted().joined(separator: ", ")) "
            + "(move the code to the room that may, or change the table and the map together)"
    }

    /// C targets that more than one room imports.
    static func sharedCTargets(in files: [SourceFile]) -> [Violation] {
        var owner: [String: String] = [:]
        var violations: [Violation] = []
        for file in files {
            for (line, module) in imports(of: file) where isCTarget(module) {
                let first = owner[module, default: file.room]
                owner[module] = first
                guard first != file.room else { continue }
                let message = "\(module) is imported by \(first) already; call it through \(first)"
                violations.append(Violation(path: file.path, line: line, message: message))
            }
        }
        return violations
    }

    /// `CLinux` is one, `Clock` is not.
    static func isCTarget(_ name: String) -> Bool {
        name.first == "C" && name.dropFirst().first?.isUppercase == true
    }

    /// Rooms that a target of the package manifest depends on without the table's leave.
    ///
    /// `rooms` are the folders of `Sources/`.
    static func undeclared(manifest: SourceFile, rooms: Set<String>) -> [Violation] {
        let text = manifest.codeLines.map { String($0.text) }.joined(separator: "\n")
        let target = /\.(?:target|executableTarget)\(\s*name:\s*"([\w-]+)",\s*dependencies:\s*\[([^\]]*)\]/
        return text.matches(of: target).flatMap { match -> [Violation] in
            let name = String(match.1)
            let dependencies = match.2.matches(of: /"([\w-]+)"/).map { String($0.1) }
            // Targets outside Sources/ are props of the tests, which may use whom they like.
            guard rooms.contains(name) else { return [] }
            return dependencies.filter { rooms.contains($0) && allowed[name]?.contains($0) != true }.map { dependency in
                let message = "\(name) depends on \(dependency), which ImportRules.allowed does not give it; drop it, "
                return Violation(path: manifest.path, line: 0, message: message + "or change the table and the map")
            }
        }
    }
}
