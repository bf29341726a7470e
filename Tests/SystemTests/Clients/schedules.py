"""Drives EventBridge Scheduler's API of a node with stock boto3: schedules, groups, pages, errors, and runs.

usage: schedules.py URL ACCESS_KEY SECRET_KEY

Prints one line for each part, and ends with status 1 at the first thing that is not as AWS has it.
"""

import datetime
import io
import json
import sys
import time
import urllib.request
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url, access_key, secret_key = sys.argv[1:4]
ROLE = "arn:aws:iam::000000000000:role/any"
UTC = datetime.timezone.utc


def client(service, secret=secret_key):
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id=access_key, aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 1, "mode": "standard"}))


lam = client("lambda")
scheduler = client("scheduler")
OFF = {"Mode": "OFF"}


def target(name="timed", **more):
    return {"Arn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}", "RoleArn": ROLE, **more}


def create(name, expression="cron(0 3 * * ? *)", **more):
    options = dict(Name=name, ScheduleExpression=expression, FlexibleTimeWindow=OFF, Target=target())
    options.update(more)
    return scheduler.create_schedule(**options)


def refused(code, status, text, act, *args, **kwargs):
    try:
        act(*args, **kwargs)
    except ClientError as error:
        found = error.response
        assert found["Error"]["Code"] == code, found
        assert found["ResponseMetadata"]["HTTPStatusCode"] == status, found
        assert text in found["Error"]["Message"], found
        return
    raise AssertionError(f"not refused: {kwargs}")


def receipts(function):
    return json.load(urllib.request.urlopen(f"{url}/receipts?function={function}"))["receipts"]


def until(seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def schedules():
    start = datetime.datetime(2030, 1, 1, 12, tzinfo=UTC)
    made = create(
        "nightly", "cron(30 2 ? * MON-FRI *)", ScheduleExpressionTimezone="Europe/Berlin", Description="at night",
        StartDate=start, EndDate=start + datetime.timedelta(days=90), State="DISABLED", ActionAfterCompletion="DELETE",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        Target=target(Input='{"a": 1}', RetryPolicy={"MaximumRetryAttempts": 3}))
    arn = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/nightly"
    assert made["ScheduleArn"] == arn, made
    found = scheduler.get_schedule(Name="nightly")
    assert found["Arn"] == arn and found["GroupName"] == "default" and found["Name"] == "nightly", found
    assert found["ScheduleExpression"] == "cron(30 2 ? * MON-FRI *)", found
    assert found["ScheduleExpressionTimezone"] == "Europe/Berlin" and found["State"] == "DISABLED", found
    assert found["StartDate"] == start and found["EndDate"] == start + datetime.timedelta(days=90), found
    assert found["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}, found
    assert found["ActionAfterCompletion"] == "DELETE" and found["Description"] == "at night", found
    assert found["Target"]["Input"] == '{"a": 1}' and found["Target"]["RoleArn"] == ROLE, found
    assert found["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 3}, found
    assert abs((found["CreationDate"] - datetime.datetime.now(UTC)).total_seconds()) < 60, found

    changed = scheduler.update_schedule(
        Name="nightly", ScheduleExpression="rate(5 days)", FlexibleTimeWindow=OFF, Target=target())
    assert changed["ScheduleArn"] == arn, changed
    again = scheduler.get_schedule(Name="nightly")
    # What an update leaves out goes back to its default.
    assert again["ScheduleExpression"] == "rate(5 days)" and again["State"] == "ENABLED", again
    assert again["ScheduleExpressionTimezone"] == "UTC" and "StartDate" not in again and "Description" not in again, again
    assert again["CreationDate"] == found["CreationDate"] <= again["LastModificationDate"], again
    assert again["ActionAfterCompletion"] == "NONE", again

    token = dict(ClientToken="the-same")
    assert create("twice", **token)["ScheduleArn"] == create("twice", **token)["ScheduleArn"]
    refused("ConflictException", 409, "Schedule twice already exists", create, "twice")
    for name in ["nightly", "twice"]:
        assert scheduler.delete_schedule(Name=name)["ResponseMetadata"]["HTTPStatusCode"] == 200
    refused("ResourceNotFoundException", 404, "Schedule nightly does not exist", scheduler.get_schedule, Name="nightly")
    refused("ResourceNotFoundException", 404, "does not exist", scheduler.delete_schedule, Name="nightly")
    refused("ResourceNotFoundException", 404, "does not exist", scheduler.update_schedule, Name="nightly",
            ScheduleExpression="rate(5 days)", FlexibleTimeWindow=OFF, Target=target())
    print("schedules: passed")


def errors():
    def invalid(text, expression="rate(5 minutes)", **more):
        refused("ValidationException", 400, text, create, "broken", expression, **more)

    invalid("Invalid Schedule Expression cron(0 25 * * ? *)", "cron(0 25 * * ? *)")
    invalid("Invalid Schedule Expression", "rate(5 seconds)")
    invalid("Invalid Schedule Expression", "at(2026-02-30T00:00:00)")
    invalid("no time zone", ScheduleExpressionTimezone="Mars/Olympus")
    invalid("MaximumWindowInMinutes", FlexibleTimeWindow={"Mode": "FLEXIBLE"})
    invalid("enum value set", State="PAUSED")
    invalid("not in correct format", Target=target() | {"Arn": "arn:aws:ecs:us-east-1:000000000000:cluster/c"})
    invalid("JSON", Target=target(Input="not json"))
    invalid("EndDate must come after", StartDate=datetime.datetime(2030, 1, 2), EndDate=datetime.datetime(2030, 1, 1))
    refused("ValidationException", 400, "regular expression", create, "a name")
    refused("ResourceNotFoundException", 404, "Schedule group none does not exist", create, "lost", GroupName="none")
    wrong = client("scheduler", secret="another")
    refused("InvalidSignatureException", 403, "signature", wrong.list_schedules)
    print("errors: passed")


def groups():
    tags = [{"Key": "team", "Value": "a"}]
    made = scheduler.create_schedule_group(Name="team-a", Tags=tags)
    arn = "arn:aws:scheduler:us-east-1:000000000000:schedule-group/team-a"
    assert made["ScheduleGroupArn"] == arn, made
    found = scheduler.get_schedule_group(Name="team-a")
    assert found["Arn"] == arn and found["State"] == "ACTIVE" and found["Name"] == "team-a", found
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "more", "Value": "b"}])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "more", "Value": "b"}]
    refused("ConflictException", 409, "already exists", scheduler.create_schedule_group, Name="team-a")
    refused("ValidationException", 400, "default", scheduler.delete_schedule_group, Name="default")

    for number in range(7):
        create(f"n{number}", GroupName="team-a", State="DISABLED" if number % 2 else "ENABLED")
    create("n0")
    pages = list(scheduler.get_paginator("list_schedules").paginate(
        GroupName="team-a", PaginationConfig={"PageSize": 3}))
    assert [len(page["Schedules"]) for page in pages] == [3, 3, 1], pages
    rows = [row for page in pages for row in page["Schedules"]]
    assert [row["Name"] for row in rows] == [f"n{number}" for number in range(7)], rows
    assert rows[0]["Target"] == {"Arn": target()["Arn"]} and rows[0]["GroupName"] == "team-a", rows
    paused = scheduler.list_schedules(GroupName="team-a", State="DISABLED")["Schedules"]
    assert [row["Name"] for row in paused] == ["n1", "n3", "n5"], paused
    everywhere = scheduler.list_schedules(NamePrefix="n0")["Schedules"]
    assert [row["GroupName"] for row in everywhere] == ["default", "team-a"], everywhere
    scheduler.get_schedule(Name="n3", GroupName="team-a")
    scheduler.delete_schedule(Name="n3", GroupName="team-a")

    pages = list(scheduler.get_paginator("list_schedule_groups").paginate(PaginationConfig={"PageSize": 1}))
    names = [row["Name"] for page in pages for row in page["ScheduleGroups"]]
    assert names == ["default", "team-a"], names
    assert [row["Name"] for row in scheduler.list_schedule_groups(NamePrefix="team")["ScheduleGroups"]] == ["team-a"]
    scheduler.delete_schedule_group(Name="team-a")
    refused("ResourceNotFoundException", 404, "does not exist", scheduler.get_schedule_group, Name="team-a")
    assert [row["GroupName"] for row in scheduler.list_schedules()["Schedules"]] == ["default"]
    scheduler.delete_schedule(Name="n0")
    print("groups: passed")


def runs():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("function.yaml", "name: any\n")
    lam.create_function(
        FunctionName="timed", Runtime="provided.thaw", Role=ROLE, Handler="any", Code={"ZipFile": out.getvalue()})
    lam.get_waiter("function_active_v2").wait(FunctionName="timed")
    soon = datetime.datetime.now(UTC) + datetime.timedelta(seconds=2)
    create("soon", f"at({soon:%Y-%m-%dT%H:%M:%S})", ActionAfterCompletion="DELETE", Target=target(Input='"four"'))
    # The first run of a rate is at once.
    create("often", "rate(1 day)")
    until(10, lambda: len(receipts("timed")) == 2)
    ends = sorted(receipt["bytesOut"] for receipt in receipts("timed"))
    assert ends[0] == len('"four"') and ends[1] > 100, ends
    # It is deleted when it has run, and the other goes on.
    until(10, lambda: [row["Name"] for row in scheduler.list_schedules()["Schedules"]] == ["often"])
    scheduler.delete_schedule(Name="often")
    lam.delete_function(FunctionName="timed")
    print("runs: passed")


schedules()
errors()
groups()
runs()
print("ends: passed")
