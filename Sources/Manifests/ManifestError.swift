/// One mistake in a manifest, and the place of it.
package struct ManifestError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file as the author knows it, usually `function.yaml`.
    package let file: String
    /// Counted from 1; 0 where the file as a whole is meant.
    package let line: Int
    /// Counted from 1, in Unicode scalars; 0 where the file as a whole is meant.
    package let column: Int
    /// What is wrong and what to do, without the place.
    package let message: String

    package init(file: String, line: Int, column: Int, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    /// Place and message, as compilers print them: `function.yaml:7:3: unknown key …`.
    package var description: String {
        line > 0 ? "\(file):\(line):\(column): \(message)" : "\(file): \(message)"
    }
}
