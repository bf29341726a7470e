/// Every bound on a bundle, in one place.
///
/// A bundle beyond one is refused, never cut.
enum PackLimits {
    /// The whole archive.
    ///
    /// The largest models that the CPU kernels serve have 8 GiB of weights; the rest is room.
    static let archiveBytesMax = 16 << 30
    /// A model directory holds a dozen files, code with its libraries some ten thousand.
    static let entriesMax = 1 << 14
    /// Files of a code function once unpacked: they lie in the memory of its template.
    static let codeBytesMax = 2 << 30
    /// Parts of a code function that are stored by themselves, so that its next version shares them.
    static let codeGroupsMax = 256
    /// Headers and padding of packages' files, 1.5 KiB each.
    static let packageHeadersBytesMax = 32 << 20
    /// Real ones are under 10 KiB, with hashes ten times that.
    static let requirementsBytesMax = 128 << 10
    /// Texts and archives beside it, each of which it may name.
    static let requirementInputsMax = 1000
    /// Bytes of a path, and the directories in it; file systems allow 255 bytes for one part alone.
    static let pathBytesMax = 255
    static let pathDepthMax = 16
    /// Extended headers carry a path and times; a writer that needs more hides something.
    static let extendedHeaderBytesMax = 16 << 10
    /// After the end mark writers fill up to a whole record of 20 blocks; some devices take larger ones.
    static let paddingBytesMax = 1 << 20
    /// A golden file: a thousand texts with 768 numbers each as JSON have 8 MB.
    static let goldenBytesMax = 16 << 20
    /// Each is run some times while somebody waits for the deploy.
    static let goldenInputsMax = 1024
}
