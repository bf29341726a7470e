import Foundation
import Testing

@testable import ControlPlane

struct LambdaFunctionTests {
    private let account = LambdaAccount()
    private let now = Date(timeIntervalSince1970: 1_767_323_045.25)

    private func made() -> LambdaFunction {
        var settings = FunctionSettings(role: "arn:aws:iam::000000000000:role/r")
        settings.runtime = "python3.12"
        settings.handler = "app.handler"
        let code = CodeFacts(sha256: "one", byteCount: 10, registryVersion: 1)
        let latest = LambdaVersion(settings: settings, code: code, lastModified: LambdaTime.text(now))
        var function = LambdaFunction(name: "f", registryName: "f", latest: latest)
        function.update = .successful
        return function
    }

    private func fields(_ members: JSONValue) -> RequestFields { RequestFields(members) }

    @Test func `times are written as the service writes them`() {
        #expect(LambdaTime.text(now) == "2026-01-02T03:04:05.250+0000")
    }

    @Test func `a second publication of the same is the same version`() throws {
        var function = made()
        #expect(try function.publish(fields([:]), now: now).number == 1)
        #expect(try function.publish(fields([:]), now: now).number == 1)
        function.latest.settings.timeoutSeconds = 9
        #expect(try function.publish(fields([:]), now: now).number == 2)
        try function.delete(version: "2", in: account)
        #expect(try function.publish(fields([:]), now: now).number == 3)
    }

    @Test func `published settings do not move with the latest`() throws {
        var function = made()
        _ = try function.publish(fields(["Description": "kept"]), now: now)
        function.latest.settings.timeoutSeconds = 60
        #expect(function.configuration(function.versions[0], in: account)["Timeout"] == 3)
        #expect(function.configuration(function.versions[0], in: account)["Description"] == "kept")
        #expect(function.configuration(function.latest, in: account)["Timeout"] == 60)
    }

    @Test func `an alias with a weight sends that part elsewhere`() throws {
        var function = made()
        _ = try function.publish(fields([:]), now: now)
        function.latest.settings.timeoutSeconds = 9
        _ = try function.publish(fields([:]), now: now)
        _ = try function.createAlias(
            fields([
                "Name": "live", "FunctionVersion": "1",
                "RoutingConfig": ["AdditionalVersionWeights": ["2": .number(0.25)]],
            ]),
            in: account
        )
        #expect(try function.target("live", chance: 0.2, in: account).number == 2)
        #expect(try function.target("live", chance: 0.25, in: account).number == 1)
        _ = try function.updateAlias("live", fields(["RoutingConfig": .object([:])]), in: account)
        #expect(try function.target("live", chance: 0, in: account).number == 1)
    }

    @Test func `an alias means only versions that are there`() throws {
        var function = made()
        #expect(throws: LambdaError.functionNotFound("arn:aws:lambda:us-east-1:000000000000:function:f:7")) {
            try function.createAlias(RequestFields(["Name": "live", "FunctionVersion": "7"]), in: account)
        }
        #expect(throws: LambdaError.self) {
            try function.createAlias(RequestFields(["Name": "12", "FunctionVersion": "$LATEST"]), in: account)
        }
        #expect(throws: LambdaError.self) { try function.target("live", chance: 0, in: account) }
    }

    @Test func `provisioned workers are added up by the version that runs them`() throws {
        var function = made()
        _ = try function.publish(fields([:]), now: now)
        _ = try function.createAlias(fields(["Name": "live", "FunctionVersion": "1"]), in: account)
        let count = fields(["ProvisionedConcurrentExecutions": 2])
        _ = try function.provision(count, qualifier: "live", in: account, now: now)
        #expect(function.workersProvisioned == [1: 2])
        #expect(throws: LambdaError.self) { try function.provision(count, qualifier: "1", in: account, now: now) }
        #expect(throws: LambdaError.self) { try function.provision(count, qualifier: "$LATEST", in: account, now: now) }
    }

    @Test func `the account keeps a hundred executions that nobody reserves`() throws {
        var function = made()
        let wanted = fields(["ReservedConcurrentExecutions": 500])
        #expect(try function.reserveConcurrency(wanted, reservedByOthers: 400) == ["ReservedConcurrentExecutions": 500])
        #expect(throws: LambdaError.self) { try function.reserveConcurrency(wanted, reservedByOthers: 401) }
    }

    @Test func `a document comes back from its text as it was`() throws {
        var function = made()
        _ = try function.publish(fields([:]), now: now)
        _ = try function.createAlias(fields(["Name": "live", "FunctionVersion": "1"]), in: account)
        _ = try function.addPermission(
            fields(["StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"]),
            qualifier: nil,
            in: account
        )
        let data = try JSONEncoder().encode(function)
        #expect(try JSONDecoder().decode(LambdaFunction.self, from: data) == function)
    }

    @Test func `the message's key is the one that the service writes for the error`() {
        #expect(LambdaError.noSuchResource.document["Message"] != nil)
        #expect(LambdaError.invalid("x").document == ["message": "x", "Type": "User"])
        #expect(LambdaError(.validation, "x").document == ["message": "x"])
    }
}
