package import Linux

/// Why a snapshot was not written or not loaded.
package enum SnapshotError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kernel refused a call.
    case system(SystemError)
    /// Not a snapshot, or one whose writing or copying was cut short.
    case incomplete(String)
    /// Written by another version of the format.
    case unsupportedVersion(UInt32)
    /// The index says something that no index may say; `offset` counts from its first byte.
    case malformed(String, offset: Int)
    /// The index does not hash to what the header, or the caller, says.
    case indexAltered(expected: SnapshotDigest, found: SnapshotDigest)
    /// Stored bytes are not those that were written; `offset` counts from the start of the file.
    case altered(entry: String, offset: Int, String)
    /// The file of another snapshot, in which entries of this one lie, cannot be used.
    case base(SnapshotDigest, String)
    /// More than the caller, or the format, allows.
    case tooLarge(what: String, byteCount: UInt64, byteCountMax: Int)
    /// No entry of this name.
    case unknownEntry(String)
    /// The writer was handed an entry that cannot be stored.
    case unwritable(entry: String, String)
    /// A library under us did not do its work.
    case library(String)

    package var description: String {
        switch self {
        case .system(let error):
            "the snapshot file: \(error)"
        case .incomplete(let reason):
            "this file is no complete snapshot: \(reason); deploy the function again"
        case .unsupportedVersion(let version):
            """
            this snapshot has format version \(version), this program reads \(SnapshotFormat.version) and \
            \(SnapshotFormat.versionWithBases); deploy the function again
            """
        case .malformed(let reason, let offset):
            "the snapshot's index is malformed at its byte \(offset): \(reason)"
        case .indexAltered(let expected, let found):
            "the snapshot's index hashes to \(found), not to \(expected): the file was altered or damaged"
        case .altered(let entry, let offset, let reason):
            "the snapshot's entry \"\(entry)\" was altered or damaged at byte \(offset) of the file: \(reason)"
        case .base(let digest, let reason):
            """
            a part of this snapshot lies in the file of the snapshot \(digest), which cannot be used: \(reason); deploy \
            the function again
            """
        case .tooLarge(let what, let byteCount, let byteCountMax):
            "\(what) takes \(byteCount) bytes, and \(byteCountMax) are allowed"
        case .unknownEntry(let name):
            "the snapshot has no entry \"\(name)\""
        case .unwritable(let entry, let reason):
            "the entry \"\(entry)\" cannot be stored: \(reason)"
        case .library(let reason):
            reason
        }
    }
}
