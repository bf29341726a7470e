/// The right, and the duty, to write the receipt of one admitted attempt, once.
///
/// One that is dropped instead keeps its slot until the process ends; the next one then writes `interrupted`.
package struct LedgerSlot: ~Copyable, Sendable {
    package let id: InvocationID
    package let attempt: Int
    let place: SlotPlace
}
