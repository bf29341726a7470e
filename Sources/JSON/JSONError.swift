/// Why bytes are not JSON, or a value cannot become JSON.
package enum JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The text breaks the grammar or a bound of the reader. Line and column count from 1, the offset from 0.
    case malformed(message: String, line: Int, column: Int, byteOffset: Int)
    /// A number to be written was infinite or not a number, which JSON cannot say.
    case notFinite

    package var description: String {
        switch self {
        case .malformed(let message, let line, let column, _):
            "not valid JSON: line \(line), column \(column): \(message)"
        case .notFinite:
            "cannot write a number that is infinite or not a number as JSON"
        }
    }
}
