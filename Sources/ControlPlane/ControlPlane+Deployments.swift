import Foundation
import Invoking
import Manifests
import Registry

extension ControlPlane {
    /// The archive that a request means, and whether it came with the request.
    func archive(_ source: RequestFields) throws(LambdaError) -> (archive: CodeStore.Archive, isInline: Bool) {
        if let base64 = try source.text("ZipFile", charactersMax: LambdaLimits.requestBytesMax) {
            guard let data = Data(base64Encoded: base64), !data.isEmpty else {
                throw LambdaError(.serialization, "ZipFile is not base64")
            }
            guard data.count <= LambdaLimits.zipBytesMax else {
                throw LambdaError(
                    .requestTooLarge,
                    "Zipped size must be smaller than \(LambdaLimits.zipBytesMax) bytes"
                )
            }
            guard data.starts(with: Self.zipMagic) else { throw Self.notUnzipped }
            return (try code.store(Array(data)), true)
        }
        if let bucket = try source.text("S3Bucket") {
            let key = try source.required("S3Key")
            guard bucket == Self.uploadsBucket else {
                throw .invalid(
                    "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket "
                        + "does not exist"
                )
            }
            guard let upload = store.read({ $0.uploads[key] }) else {
                throw .invalid(
                    "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does "
                        + "not exist."
                )
            }
            return (CodeStore.Archive(name: upload.archive, byteCount: upload.byteCount), false)
        }
        throw .invalid("Please provide a source for function code.")
    }

    /// The one bucket of this node: `PUT /uploads/{key}`.
    package static let uploadsBucket = "uploads"
    private static let zipMagic = Array("PK".utf8)
    private static let notUnzipped = LambdaError.invalid(
        "Could not unzip uploaded file. Please check your file, then try to upload again."
    )

    /// Packs and publishes, whether or not somebody waits.
    func deployment(
        of function: LambdaFunction,
        _ archive: CodeStore.Archive,
        isPublished: Bool
    ) -> Task<Result<Void, LambdaError>, Never> {
        let isZip = code.begins(archive.name, with: Self.zipMagic)
        let path = code.path(archive.name)
        let package =
            isZip
            ? CodePackage(
                manifest: CodeManifest.bytes(name: function.registryName, function.latest.settings),
                code: CodePackage.Zip(path: path, byteCount: archive.byteCount),
                layers: (function.latest.settings.layerCode ?? []).map {
                    CodePackage.Zip(path: code.path($0.archive), byteCount: $0.byteCount)
                }
            )
            : CodePackage(bundle: path)
        return Task {
            await finish(function, isPublished: isPublished) { [acts] in
                await acts.deploy(function.registryName, package)
            }
        }
    }

    /// A new version of the same code.
    func reconfiguration(
        of function: LambdaFunction,
        memoryIsSet: Bool
    ) -> Task<Result<Void, LambdaError>, Never> {
        let settings = function.latest.settings
        return Task {
            await finish(function, isPublished: false) { [acts] in
                await acts.reconfigure(function.registryName) { manifest in
                    settings.write(to: &manifest, memoryIsSet: memoryIsSet)
                }
            }
        }
    }

    private func finish(
        _ function: LambdaFunction,
        isPublished: Bool,
        _ act: @Sendable () async -> Result<FunctionVersion, DeployFailure>
    ) async -> Result<Void, LambdaError> {
        let result = await act()
        let now = now()
        do throws(LambdaError) {
            try await store.change(function.name) { stored in
                // Deleted meanwhile, or another function of that name by now.
                guard var known = stored, known.latest.revisionID == function.latest.revisionID else { return }
                known.settle(result, isPublished: isPublished, now: now)
                stored = known
            }
        } catch {
            return .failure(error)
        }
        collect()
        return result.map { _ in }.mapError { LambdaError($0) }
    }

    /// Archives that nothing refers to any more go.
    func collect() {
        code.removeAll(except: store.read { $0.archives })
    }
}

extension LambdaFunction {
    /// What becomes of a deploy: the code's place in the registry, or why it has none.
    fileprivate mutating func settle(_ result: Result<FunctionVersion, DeployFailure>, isPublished: Bool, now: Date) {
        switch result {
        case .success(let version):
            latest.code.registryVersion = version.version
            // A manifest of the archive's own wins over what the request said.
            if version.manifest.runtime == .model || latest.settings.runtime == CodeRuntime.bundleName {
                latest.settings.adopt(version.manifest, memoryBytes: nil)
            }
            latest.revisionID = UUID().uuidString.lowercased()
            phase = .active
            update = .successful
            if isPublished { _ = publishLatest(description: nil, now: now) }
        case .failure(let failure):
            let reason = LambdaError(failure).message
            if phase == .pending { phase = .failed(reason: reason) } else { update = .failed(reason: reason) }
        }
    }
}

extension LambdaError {
    /// A deploy that came to nothing, as the API says it.
    init(_ failure: DeployFailure) {
        switch failure {
        case .invalid(let message): self = .invalid(message)
        case .tooLarge(let bytesMax):
            self.init(.codeStorageExceeded, "Code storage limit exceeded: at most \(bytesMax) bytes are taken.")
        case .storage(let message): self.init(.service, message)
        case .packerDied(let reason): self = .invalid("The packer ended on this archive: \(reason)")
        }
    }
}
