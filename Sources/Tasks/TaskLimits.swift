/// Bounds of a call's input beyond its bytes.
package enum TaskLimits {
    /// Texts of one call: at 4 ms for a short one, eight seconds of one core, well within the default timeout.
    package static let textsMax = 2048

    /// Examples of one call to a classifier or tensor function.
    package static let examplesMax = 8192

    /// Tokens that go through the model at once.
    ///
    /// Longer calls are cut into such slices. The widest activation of an encoder with an inner width of 1,536 then takes 12
    /// MiB, and the weights are still read once for 2,048 tokens instead of once for each text.
    package static let sliceTokensMax = 2048

    /// Inputs, or outputs, that a request may name: models in use have a dozen.
    package static let portsMax = 64

    /// Bytes of a body once it is decompressed: as many as the largest body that any function may take.
    package static let inflatedBytesMax = 64 * 1024 * 1024
}
