/// Rows under headings, in columns as wide as they need.
struct Table {
    enum Alignment {
        case left
        /// For numbers, so that their digits stand under each other.
        case right
    }

    private let columns: [(heading: String, alignment: Alignment)]
    private var rows: [[String]] = []

    init(_ columns: KeyValuePairs<String, Alignment>) {
        self.columns = columns.map { (heading: $0.key, alignment: $0.value) }
    }

    mutating func add(_ cells: String...) {
        rows.append(cells.map(Self.oneLine))
    }

    /// Without a line break at the end.
    var text: String {
        let lines = [columns.map(\.heading)] + rows
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            let cells = zip(line, zip(widths, columns)).map { cell, column in
                let padding = String(repeating: " ", count: column.0 - cell.count)
                return column.1.alignment == .left ? cell + padding : padding + cell
            }
            let text = cells.joined(separator: "  ")
            return String(text.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    /// What others wrote may hold line breaks and the terminal's control sequences.
    private static func oneLine(_ cell: String) -> String {
        String(cell.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
    }
}
