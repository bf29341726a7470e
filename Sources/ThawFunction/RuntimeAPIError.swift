/// Why the runtime that hands out calls cannot be talked to.
struct RuntimeAPIError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
