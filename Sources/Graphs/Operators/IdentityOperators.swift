/// Operators that hand on what they are given.
enum IdentityOperators {
    static let operators: [Operator] = [
        Operator("Identity") { (call) throws(GraphError) in
            guard let value = call.inputs.first else { throw .invalid("input 0 is missing") }
            return [value]
        }
    ]
}
