/// How two operands meet, element by element.
package enum Arithmetic: Int32, CaseIterable, Sendable {
    case add = 0
    case subtract = 1
    case multiply = 2
    case divide = 3
}
