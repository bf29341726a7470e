package import Graphs

/// A graph that was read, with how to make each of its constants.
package struct ImportedGraph: Sendable {
    package var graph: Graph
    /// Of `graph.constants`, in the same order.
    package var sources: [TensorSource]

    package init(graph: Graph, sources: [TensorSource]) {
        self.graph = graph
        self.sources = sources
    }
}
