import ControlPlane
import HTTPTypes
import Testing

@testable import Doors

struct LambdaPathTests {
    @Test func `segments are split before their percent signs are undone`() {
        let path = LambdaPath("/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A0%3Afunction%3Aa%2Fb?tagKeys=x")
        #expect(path.segments == ["2017-03-31", "tags", "arn:aws:lambda:us-east-1:0:function:a/b"])
        #expect(path.query == "tagKeys=x")
    }

    @Test(arguments: [
        ("/2015-03-31/functions", true), ("/2015-03-31", false), ("/functions", false), ("/20150331xx/", false),
        ("/", false),
        ("", false), ("/2015-03-31/", true),
    ])
    func `paths of the API begin with a date`(_ path: String, _ isDated: Bool) {
        #expect(LambdaPath.beginsWithDate(path) == isDated)
    }

    @Test func `calls are told from the rest of the API`() throws {
        let call = try #require(
            LambdaCallPath(.post, LambdaPath("/2015-03-31/functions/f%3Alive/invocations?Qualifier=%24LATEST"))
        )
        #expect(call.kind == .invoke && call.function == "f:live" && call.qualifier == "$LATEST")
        #expect(LambdaCallPath(.get, LambdaPath("/2015-03-31/functions/f/invocations")) == nil)
        #expect(LambdaCallPath(.post, LambdaPath("/2015-03-31/functions/f/versions")) == nil)
    }

    @Test func `no two operations have one path and method`() {
        let keys = LambdaRoute.all.map { "\($0.method.rawValue) \($0.segments.map { $0 ?? "*" })" }
        #expect(Set(keys).count == keys.count)
        #expect(keys.count >= 60)
    }
}
