import Graphs
import Kernels

/// Makes of an imported graph one that asks less of the runner and answers the same.
///
///     fold      constants worked out, shapes inferred, nodes that change nothing gone, branches that are never taken gone
///     fuse      patterns of exporters become one operator each
///     pack      weights lie as the kernels read them, images in blocks between convolutions
///
/// Each step leaves a graph that runs, so that whatever matches nothing runs as it came.
enum GraphCompiler {
    /// Looks for a pattern of nodes in the open body, in the order in which they are tried: what comes late may rely on
    /// what came before.
    private enum Fusion: CaseIterable {
        case layerNorm, gelu, batchNorm, attention, transposes, linear, encoder

        func run(_ editor: inout GraphEditor, _ archive: borrowing RawSpan) {
            switch self {
            case .layerNorm: LayerNormFusion.run(&editor, archive)
            case .gelu: GeluFusion.run(&editor, archive)
            case .batchNorm: BatchNormFolding.run(&editor)
            case .attention: AttentionFusion.run(&editor, archive)
            case .transposes: TransposeFusion.run(&editor)
            case .linear: LinearFusion.run(&editor)
            case .encoder: EncoderFusion.run(&editor)
            }
        }
    }

    static func compile(
        _ imported: ImportedGraph,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> ImportedGraph {
        var editor = GraphEditor(imported)
        var folding = Folding(&editor)
        // Bodies stand after the nodes that run them, whose captures they may need to know.
        for body in editor.graph.bodies.indices {
            editor.open(body)
            folding.run(&editor, archive)
            editor.close()
        }
        editor.sweep()
        for fusion in Fusion.allCases {
            for body in editor.graph.bodies.indices {
                editor.open(body)
                fusion.run(&editor, archive)
                editor.close()
            }
            editor.sweep()
        }
        let compiled = editor.finished().blockingImages(in: archive)
        do throws(GraphError) {
            try compiled.graph.validate()
        } catch {
            throw .invalid("the compiler made a graph that cannot be followed: \(error)")
        }
        return compiled
    }
}
