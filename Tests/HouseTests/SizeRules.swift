/// A file that is read in one sitting.
enum SizeRules {
    /// Five screens or so; the median should be near 100.
    static let linesMax = 500

    static func violations(in file: SourceFile) -> [Violation] {
        guard file.lines.count > linesMax else { return [] }
        let message = "\(file.lines.count) lines, the limit is \(linesMax); give its second noun a file of its own"
        return [Violation(path: file.path, line: 0, message: message)]
    }
}
