/// Which buffer each value of a plan lives in: values that are never needed at the same time share one.
struct BufferAssignment: Equatable {
    /// Buffer of each value.
    private(set) var bufferOfValue: [Int]
    /// The values that live in each buffer, one after the other.
    private(set) var valuesOfBuffer: [[Plan.ValueIndex]] = []

    /// - Parameter plan: a valid one.
    init(_ plan: Plan) {
        var lastReader = [Int](repeating: -1, count: plan.values.count)
        for (index, step) in plan.steps.enumerated() {
            for read in step.inputs {
                lastReader[read] = index
            }
        }
        // The caller reads the output after the last step.
        lastReader[plan.output] = plan.steps.count
        bufferOfValue = [Int](repeating: 0, count: plan.values.count)
        // The last step that needs what each buffer holds.
        var busyUntil: [Int] = []
        func place(_ value: Plan.ValueIndex, at step: Int, in assignment: inout BufferAssignment) {
            // A buffer that this very step still reads is not free: no operation works in place.
            let free = busyUntil.indices.first { busyUntil[$0] < step }
            let buffer = free ?? busyUntil.count
            if free == nil {
                busyUntil.append(0)
                assignment.valuesOfBuffer.append([])
            }
            busyUntil[buffer] = max(lastReader[value], step)
            assignment.bufferOfValue[value] = buffer
            assignment.valuesOfBuffer[buffer].append(value)
        }
        for (index, step) in plan.steps.enumerated() {
            place(step.out, at: index, in: &self)
        }
    }
}
