/// A model that was read and understood, for the engine that will run it.
package enum EngineModel: Sendable {
    /// An encoder of texts.
    case plan(ImportedModel)
    case graph(ImportedGraph)
}
