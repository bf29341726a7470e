import Testing

@testable import ControlPlane

struct FunctionReferenceTests {
    private let account = LambdaAccount()

    @Test(arguments: [
        ("f", "f", nil), ("f:live", "f", "live"), ("000000000000:function:f", "f", nil),
        ("arn:aws:lambda:us-east-1:000000000000:function:f", "f", nil),
        ("arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST", "f", "$LATEST"),
        ("My_Function:3", "My_Function", "3"),
    ])
    func `names and ARNs are read with their qualifiers`(_ text: String, _ name: String, _ qualifier: String?) throws {
        let reference = try FunctionReference(text, in: account)
        #expect(reference.name == name)
        #expect(reference.qualifier == qualifier)
    }

    @Test func `two qualifiers must be one`() throws {
        #expect(try FunctionReference("f:1", qualifier: "1", in: account).qualifier == "1")
        #expect(throws: LambdaError.self) { try FunctionReference("f:1", qualifier: "2", in: account) }
    }

    @Test(arguments: ["", ":", "f:", "a b", "arn:aws:lambda", "arn:aws:s3:us-east-1:0:function:f", "f:x:y:z", "f/g"])
    func `what names no function is refused`(_ text: String) {
        #expect(throws: LambdaError.self) { try FunctionReference(text, in: account) }
    }

    @Test func `another region and a long name are refused in the service's words`() {
        #expect(
            throws: LambdaError(
                .resourceNotFound,
                "Functions from 'us-west-2' are not reachable in this region ('us-east-1')"
            )
        ) {
            try FunctionReference("arn:aws:lambda:us-west-2:000000000000:function:f", in: account)
        }
        #expect(throws: LambdaError.self) { try FunctionReference(String(repeating: "x", count: 65), in: account) }
    }
}
