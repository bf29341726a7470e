import Graphs
import Inference
import Kernels
import Linux
import Manifests
import Snapshots

/// What a finished snapshot turned out to be.
struct SnapshotSize {
    var digest: SnapshotDigest
    /// Bytes of all entries, decompressed.
    var arenaBytes: UInt64
    /// Bytes of the file.
    var storedBytes: UInt64
    var entryCount: Int
}

/// The snapshot while it is written, with the packer's words for what goes wrong.
struct SnapshotOutput: ~Copyable {
    private var writer: SnapshotWriter
    /// To look at the file once the writer has closed it.
    private let file: FileDescriptor

    init(
        _ file: consuming FileDescriptor,
        sharing catalog: TensorCatalog = TensorCatalog()
    ) throws(PackRefusal) {
        let copy: FileDescriptor
        do throws(SystemError) {
            copy = try file.duplicate()
        } catch {
            throw PackRefusal(kind: .storage, message: "the snapshot cannot be written: \(error)")
        }
        let writer: SnapshotWriter
        do throws(SnapshotError) {
            writer = try SnapshotWriter(file: file, producer: Packer.producer, sharing: catalog)
        } catch {
            throw PackRefusal(error)
        }
        self.writer = writer
        self.file = copy
    }

    /// Adds a document.
    mutating func add(_ name: String, _ bytes: [UInt8]) throws(PackRefusal) {
        do throws(SnapshotError) {
            try writer.add(
                name: name,
                element: .u8,
                shape: [bytes.count],
                layout: 0,
                bytes: unsafe bytes.span.bytes
            )
        } catch {
            throw PackRefusal(error)
        }
    }

    /// Adds a weight.
    mutating func add(
        _ weight: Plan.Weight,
        _ access: SnapshotEntry.Access,
        _ bytes: borrowing RawSpan
    ) throws(PackRefusal) {
        do throws(SnapshotError) {
            try writer.add(
                name: weight.name,
                element: weight.layout.element,
                shape: weight.shape,
                layout: weight.layout.rawValue,
                access: access,
                bytes: bytes
            )
        } catch {
            throw PackRefusal(error)
        }
    }

    /// Adds a constant of a graph.
    mutating func add(_ constant: Graph.Constant, _ bytes: borrowing RawSpan) throws(PackRefusal) {
        let element = constant.element.snapshotElement
        do throws(SnapshotError) {
            try writer.add(
                name: constant.name,
                element: element ?? .u8,
                shape: element == nil ? [bytes.byteCount] : constant.shape,
                layout: 0,
                bytes: bytes
            )
        } catch {
            throw PackRefusal(error)
        }
    }

    /// Returns once the snapshot is on the disk.
    consuming func finish() throws(PackRefusal) -> SnapshotSize {
        do throws(SnapshotError) {
            let digest = try writer.finish()
            let index = try SnapshotIndex(reading: file)
            do throws(SystemError) {
                return SnapshotSize(
                    digest: digest,
                    arenaBytes: UInt64(index.arenaByteCount),
                    storedBytes: UInt64(try file.size()),
                    entryCount: index.entries.count
                )
            } catch {
                throw SnapshotError.system(error)
            }
        } catch {
            throw PackRefusal(error)
        }
    }
}

extension Plan.Layout {
    /// What most of the numbers are; the floats behind panels of integers are four bytes each.
    fileprivate var element: ElementType {
        switch format {
        case .bf16: .bf16
        case .int8: .i8
        case .f32, nil: .f32
        }
    }
}

extension PackRefusal {
    /// A snapshot of ours that cannot be written is the disk's fault, or a limit.
    fileprivate init(_ error: SnapshotError) {
        switch error {
        case .tooLarge, .unwritable: self.init(kind: .tooLarge, message: "\(error)")
        default: self.init(kind: .storage, message: "\(error)")
        }
    }
}

extension TensorElement {
    /// nil where a snapshot keeps the bytes alone.
    fileprivate var snapshotElement: ElementType? {
        switch self {
        case .f32: .f32
        case .f64: .f64
        case .f16: .f16
        case .bf16: .bf16
        case .i8: .i8
        case .i32: .i32
        case .i64: .i64
        case .u8, .bool, .u16, .i16, .u32, .u64, .string: nil
        }
    }
}
