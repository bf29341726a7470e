/// Why a plan, its weights or the input of a call were refused.
///
/// Each message is a sentence for whoever wrote the thing.
package enum PlanError: Error, Equatable, CustomStringConvertible {
    /// The bytes are not an encoded plan, from `byteOffset` on.
    case malformed(byteOffset: Int, reason: String)
    /// The plan contradicts itself: an index, a shape or an order is wrong.
    case invalid(String)
    /// A weight is missing, or not of the size that the plan says.
    case weight(name: String, reason: String)
    /// The ids of one call do not fit the plan; the plan itself is fine.
    case input(String)

    package var description: String {
        switch self {
        case .malformed(let byteOffset, let reason): "the plan is damaged at byte \(byteOffset): \(reason)"
        case .invalid(let reason): "the plan is not consistent: \(reason)"
        case .weight(let name, let reason): "weight \"\(name)\": \(reason)"
        case .input(let reason): reason
        }
    }
}
