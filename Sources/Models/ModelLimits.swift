/// Every bound on model files, in one place.
///
/// They bound what the packer will read, hold and count; a file beyond one is refused, never cut.
enum ModelLimits {
    /// The largest number of floats in one tensor, and in a model: 8 GiB of them, more than the CPU kernels answer
    /// in useful time.
    static let elementsMax = 1 << 31
    /// Dimensions of a tensor; ONNX models in use have up to 6.
    static let dimensionsMax = 8
    /// Names of tensors, nodes and operators; exporters write paths of a few hundred bytes.
    static let nameBytesMax = 1 << 10

    /// The JSON header of a safetensors file: a thousand tensors take 100 KiB.
    ///
    /// The format allows 100 MB, which would cost a gigabyte as a tree.
    static let safetensorsHeaderBytesMax = 8 << 20
    /// config.json, modules.json and their kind are under 10 KiB, some data sheets beside them 100.
    static let configurationBytesMax = 1 << 20
    /// The largest tokenizer in common use (XLM-R's, 250,000 pieces) has 17 MB.
    static let tokenizerBytesMax = 64 << 20

    /// Encoder layers; BERT-large has 24.
    static let layersMax = 128
    /// Columns of a layer; BERT-large has 1,024 and 4,096 in between.
    static let columnsMax = 1 << 16
    /// Tokens of one text; the attention of one head is a square of this in floats.
    static let tokensMax = 8192
    static let vocabularyMax = 1 << 21

    /// Nodes and initializers of an ONNX graph; a ResNet-152 exports 500.
    ///
    /// A plan holds 4,096 steps, and several nodes may become one.
    static let nodesMax = 1 << 16
    /// Graphs within graphs; models in use nest two or three.
    static let graphDepthMax = 16
    /// Functions of a model's own, and operator sets; exporters write some dozens.
    static let functionsMax = 1 << 12
    /// Numbers, or texts, of one attribute: forests keep a number for each node of their trees.
    static let attributeNumbersMax = 1 << 24
    /// Pieces in which one ONNX tensor may spread its numbers.
    ///
    /// Writers use one.
    static let tensorPiecesMax = 1 << 10
    /// Operator sets whose meaning was checked here: 28 is the newest; nodes that mean something else before 7, which
    /// brought broadcasting as it is today, are refused one by one.
    static let opsets: ClosedRange<UInt64> = 1...28
}
