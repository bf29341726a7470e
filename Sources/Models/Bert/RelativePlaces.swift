import Inference

/// What the places of two tokens add to the score of one for the other, in all layers of an MPNet.
///
/// The file holds a number for each of 32 buckets of distances and each head; the plan holds one for each distance.
enum RelativePlaces {
    private static let bucketsCount = 32

    /// [heads, 2 · positions − 1], see ``Plan/Step/attention(fused:heads:places:out:)``.
    static func weight(
        _ configuration: BertConfiguration,
        _ tensors: TensorFiles,
        _ prefix: String,
        in archive: borrowing RawSpan,
        to builder: inout PlanBuilder
    ) throws(ModelError) -> Plan.WeightIndex {
        let heads = configuration.heads
        let name = "\(prefix)encoder.relative_attention_bias.weight"
        var buckets: [Float] = []
        FileBytes.append(try tensors.tensor(name, shape: [bucketsCount, heads]), of: archive, to: &buckets)
        let distances = 1 - configuration.positions..<configuration.positions
        let floats = (0..<heads).flatMap { head in distances.map { buckets[bucket(of: $0) * heads + head] } }
        return builder.weight(name, shape: [heads, distances.count], from: WeightSource(.computed(floats)))
    }

    /// The bucket of a token that stands `distance` places behind another: half of them for those before it; up to 8
    /// places each its own, then two for each doubling.
    static func bucket(of distance: Int) -> Int {
        let places = abs(distance)
        var bucket = min(places, bucketsCount / 4)
        if places >= bucketsCount / 4 {
            // 8 · √2ⁿ places, compared by their squares.
            while bucket < bucketsCount / 2 - 1, places * places >= 64 << (bucket - 7) { bucket += 1 }
        }
        return distance > 0 ? bucket + bucketsCount / 2 : bucket
    }
}
