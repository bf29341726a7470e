import Foundation
import Testing
import Trials

/// Schedules on a real node, as stock clients and manifests make them.
struct SchedulesTests {
    @Test(.enabled(if: LambdaTests.hasClient, "boto3 is not installed for python3; deploy/test installs it"))
    func `stock boto3 makes, lists and deletes schedules, and they run`() async throws {
        try await LambdaTests.withSignedNode { node in
            let outcome = try await LambdaTests.client("schedules.py", of: node)
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
            #expect(outcome.output.contains("ends: passed"))
        }
    }

    @Test func `a schedule survives the node, and what it missed meanwhile is run once`() async throws {
        let node = try await TrialNode(programs: Tree.programs)
        let bundle = try TrialBundle.echo("timed")
        defer {
            bundle.remove()
            node.removeData()
        }
        let deployed = try await node.thaw("deploy", bundle.path)
        try #require(deployed.status == 0, "\(deployed.errors)")
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:timed"
        let role = "arn:aws:iam::000000000000:role/any"
        // It runs every minute from an hour ago on; the node sees it for the first time.
        let request = """
            {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"},
             "Target": {"Arn": "\(arn)", "RoleArn": "\(role)", "Input": "7"}}
            """
        let made = try await node.request("POST", "/schedules/daily", body: Data(request.utf8))
        #expect(made.status == 200, "\(String(decoding: made.body, as: UTF8.self))")
        #expect(try await node.until(seconds: 10) { try await Self.receiptCount(of: "timed", on: $0) == 1 })
        await node.crash()
        let again = try await TrialNode(programs: Tree.programs, dataDirectory: node.dataDirectory)
        let found = try await again.request("GET", "/schedules/daily")
        #expect(found.status == 200)
        #expect(String(decoding: found.body, as: UTF8.self).contains("\"NextRunDate\""))
        #expect(try await Self.receiptCount(of: "timed", on: again) == 1)
        #expect(await again.stop() == 0)
    }

    @Test func `function.yaml brings schedules, which change with what serves and go with the function`() async throws {
        let node = try await TrialNode(programs: Tree.programs)
        let folder = try TrialNode.freshDirectory()
        defer {
            try? FileManager.default.removeItem(atPath: folder)
            node.removeData()
        }
        func deploy(_ schedules: String) async throws -> CommandOutcome {
            try "name: timed\n\(schedules)".write(toFile: folder + "/function.yaml", atomically: true, encoding: .utf8)
            return try await node.thaw("deploy", folder)
        }
        let twice = """
            schedules:
              - expression: rate(1 day)
                input: '"four"'
              - {expression: cron(0 3 * * ? *), zone: Europe/Berlin, missed: skip}

            """
        let deployed = try await deploy(twice)
        try #require(deployed.status == 0, "\(deployed.errors)")
        // The first run of a rate is at once.
        #expect(try await node.until(seconds: 10) { try await Self.receiptCount(of: "timed", on: $0) == 1 })
        let listed = try await node.thaw("triggers")
        #expect(listed.output.contains("functions/timed.1"), "\(listed.output)\(listed.errors)")
        #expect(listed.output.contains("cron(0 3 * * ? *)") && listed.output.contains("Europe/Berlin"))

        // The same once more: the rate goes on where it was.
        #expect(try await deploy(twice).status == 0)
        #expect(try await deploy("schedules: [{expression: cron(0 4 * * ? *)}]").status == 0)
        let changed = try await node.thaw("triggers").output
        #expect(changed.contains("cron(0 4 * * ? *)") && !changed.contains("timed.2"), "\(changed)")
        #expect(try await node.thaw("rollback", "timed").status == 0)
        #expect(try await node.thaw("triggers").output.contains("functions/timed.2"))

        let refused = try await deploy("schedules: [{expression: cron(0 25 * * ? *)}]")
        #expect(refused.status == 1)
        let words = "function.yaml: schedules[0]: cron(0 25 * * ? *): the field hours: \"25\" should be from 0 to 23"
        #expect(refused.errors.contains(words), "\(refused.errors)")
        let nowhere = try await deploy("schedules: [{expression: rate(1 day), zone: Mars/Olympus}]")
        #expect(nowhere.errors.contains("\"Mars/Olympus\" is no time zone"), "\(nowhere.errors)")

        #expect(try await node.thaw("delete", "timed").status == 0)
        #expect(try await !node.thaw("triggers").output.contains("timed"))
        #expect(await node.stop() == 0)
    }

    private static func receiptCount(of function: String, on node: TrialNode) async throws -> Int {
        struct Receipts: Decodable {
            struct Receipt: Decodable { var id: String }
            var receipts: [Receipt]
        }
        let reply = try await node.request("GET", "/receipts?function=\(function)")
        return try JSONDecoder().decode(Receipts.self, from: reply.body).receipts.count
    }
}
