import ControlPlane
import Metering
import Testing

@testable import Schedules

/// What a function is given when its schedule is due.
struct ScheduledRunTests {
    private static func run(_ target: JSONValue, id: Int64 = 7, planned: String = "2026-02-26T12:00:00") -> ScheduledRun
    {
        let schedule = Schedule(group: "default", name: "tea", expression: "rate(1 day)", target: target, now: 0)
        return ScheduledRun(id: id, schedule: schedule, planned: Times.seconds(planned))
    }

    private static let arn: JSONValue = "arn:aws:lambda:us-east-1:000000000000:function:f:live"

    @Test func `without an input it is an event that says of which schedule and when`() throws {
        let run = Self.run(["Arn": Self.arn])
        let (function, body) = try run.event(in: LambdaAccount())
        #expect(function == FunctionReference(name: "f", qualifier: "live"))
        let event = try #require(JSONValue(parsing: body))
        #expect(event["detail-type"] == "Scheduled Event" && event["source"] == "aws.scheduler")
        #expect(event["time"] == "2026-02-26T12:00:00Z")
        #expect(event["resources"]?.elements == ["arn:aws:scheduler:us-east-1:000000000000:schedule/default/tea"])
        #expect(event["id"]?.text == run.eventID.description)
    }

    @Test func `an input is what it is, with what it asks to be told`() throws {
        let plain = #"{"a": 1.10}"#
        #expect(
            try Self.run(["Arn": Self.arn, "Input": .text(plain)]).event(in: LambdaAccount()).body == Array(plain.utf8)
        )
        let asking =
            #"["<aws.scheduler.schedule-arn>", "<aws.scheduler.scheduled-time>", "<aws.scheduler.attempt-number>"]"#
        let told = try Self.run(["Arn": Self.arn, "Input": .text(asking)]).event(in: LambdaAccount()).body
        #expect(
            String(decoding: told, as: UTF8.self)
                == #"["arn:aws:scheduler:us-east-1:000000000000:schedule/default/tea", "2026-02-26T12:00:00Z", "1"]"#
        )
    }

    @Test func `the operation that calls functions is a target too, others are refused`() throws {
        let input = #"{"FunctionName": "f", "InvocationType": "Event", "Payload": "{\"b\": 2}"}"#
        let universal: JSONValue = ["Arn": "arn:aws:scheduler:::aws-sdk:lambda:invoke", "Input": .text(input)]
        let (function, body) = try Self.run(universal).event(in: LambdaAccount())
        #expect(function == FunctionReference(name: "f", qualifier: nil))
        #expect(body == Array(#"{"b": 2}"#.utf8))
        for arn in ["arn:aws:sns:us-east-1:000000000000:topic", "arn:aws:scheduler:::aws-sdk:ec2:startInstances", "f"] {
            #expect(throws: LambdaError.self) { try Self.run(["Arn": .text(arn)]).event(in: LambdaAccount()) }
        }
    }

    @Test func `a run has one id, and no other run has it`() {
        let target: JSONValue = ["Arn": Self.arn]
        #expect(Self.run(target).eventID == Self.run(target).eventID)
        var ids = Set([Self.run(target).eventID])
        for id in 8..<2000 as Range<Int64> { ids.insert(Self.run(target, id: id).eventID) }
        for day in 10...28 { ids.insert(Self.run(target, planned: "2026-03-\(day)T12:00:00").eventID) }
        #expect(ids.count == 1 + 1992 + 19)
    }
}
