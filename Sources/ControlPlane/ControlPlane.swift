package import Foundation
package import Invoking
import Manifests
package import Registry
import Synchronization

/// The Lambda API's control plane, without HTTP: documents in, documents out, or an error in the service's words.
///
/// The registry has versions that never change, one of which serves; here lies what the API adds to them (see
/// Decisions/0016). A function that only the registry has is shown all the same, and gets a record of its own with the
/// first change.
package final class ControlPlane: Sendable {
    package let account: LambdaAccount
    package let code: CodeStore
    let gate: ConcurrencyGate
    let store: ControlStore
    let multipart = Mutex(MultipartUploads())
    let registry: Registry
    let acts: ControlActs
    let now: @Sendable () -> Date
    private let mappingWatch = Mutex<(@Sendable () -> Void)?>(nil)

    /// - Parameters:
    ///   - directory: of the node; the records and the kept archives lie in it.
    ///   - gate: is told the concurrency that is reserved; calls pass it.
    ///   - now: the wall clock.
    package init(
        directory: String,
        account: LambdaAccount,
        registry: Registry,
        acts: ControlActs,
        gate: ConcurrencyGate = ConcurrencyGate(),
        now: @escaping @Sendable () -> Date = { Date() }
    ) throws {
        self.account = account
        self.registry = registry
        self.acts = acts
        self.gate = gate
        self.now = now
        store = try ControlStore(path: directory + "/control.sqlite")
        code = try CodeStore(directory: directory + "/code")
        for function in store.read({ Array($0.functions.values) }) {
            gate.limit(function.registryName, to: function.reservedConcurrency)
        }
    }

    /// Takes up what an earlier scheduler left: a deploy that it did not finish has failed, and workers are kept again.
    package func resume() async throws(LambdaError) {
        for name in store.read({ Array($0.functions.keys) }) {
            let workers = try await store.change(name) { function -> [Int: Int] in
                guard var known = function else { return [:] }
                let reason = "The node was stopped while the code was being deployed; deploy it again."
                if known.phase == .pending { known.phase = .failed(reason: reason) }
                if known.update == .inProgress { known.update = .failed(reason: reason) }
                function = known
                return known.workersProvisioned
            }
            if let function = store.read({ $0.functions[name] }), !workers.isEmpty {
                acts.provision(function.registryName, workers)
            }
        }
        code.removeAll(except: store.read { $0.archives })
    }

    /// Has somebody told of each change of a mapping.
    package func watchMappings(_ changed: @escaping @Sendable () -> Void) {
        mappingWatch.withLock { $0 = changed }
    }

    func mappingsChanged() {
        mappingWatch.withLock { $0 }?()
    }

    // MARK: Finding functions

    /// Reads a name or ARN, with or without a qualifier.
    package func reference(_ text: String, qualifier: String? = nil) throws(LambdaError) -> FunctionReference {
        try FunctionReference(text, qualifier: qualifier, in: account)
    }

    /// A function as it is now; nil where there is none.
    package func find(_ name: String) -> LambdaFunction? {
        let stored = store.read { $0.functions[name] }
        let registryName = stored?.registryName ?? name
        if stored == nil, store.read({ $0.names[name] != nil }) { return nil }
        let serving = try? registry.resolve(registryName)
        guard var function = stored else { return serving.map { LambdaFunction(adopting: $0) } }
        guard function.phase == .active else { return function }
        // Removed, deployed or rolled back by the node's own means meanwhile: what serves is $LATEST.
        guard let serving else { return nil }
        if function.update != .inProgress, function.latest.code.registryVersion != serving.version {
            function.latest.adopt(serving)
        }
        return function
    }

    package func function(_ reference: FunctionReference) throws(LambdaError) -> LambdaFunction {
        guard let function = find(reference.name) else {
            throw .functionNotFound(account.functionARN(reference.name, reference.qualifier))
        }
        return function
    }

    /// All functions, by name.
    package func functions() -> [LambdaFunction] {
        var names = store.read { Set($0.functions.keys) }
        let taken = store.read { $0.names }
        for record in registry.list() where taken[record.name] == nil { names.insert(record.name) }
        return names.sorted().compactMap { find($0) }
    }

    /// The Lambda name of a function of the registry.
    package func name(ofRegistry name: String) -> String { store.read { $0.names[name] } ?? name }

    /// Changes a function that is there.
    func change<Value: Sendable>(
        _ reference: FunctionReference,
        _ body: @escaping @Sendable (inout LambdaFunction) throws -> Value
    ) async throws(LambdaError) -> Value {
        try await store.change(reference.name) { stored in
            // Asked again under the writer's order, so that two changes do not overwrite each other.
            guard var function = self.find(reference.name) else {
                throw LambdaError.functionNotFound(self.account.functionARN(reference.name))
            }
            let value = try body(&function)
            stored = function
            return value
        }
    }
}
