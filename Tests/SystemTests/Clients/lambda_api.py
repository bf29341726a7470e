"""Drives the Lambda API of a node with stock boto3: every operation, waiters and paginators, signed.

usage: lambda_api.py URL ACCESS_KEY SECRET_KEY

Functions are bundles of Thaw's own that echo, so that no runtime has to be there. Prints one line for each part, and ends
with status 1 at the first thing that is not as AWS has it.
"""

import base64
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


def client(service="lambda", key=access_key, secret=secret_key, **options):
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 1, "mode": "standard"}, **options))


def echo_zip(note="one", name="any", more=""):
    """A zip that holds a bundle of Thaw's own, which returns its input."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("function.yaml", f"name: {name}\ndescription: {note}\n{more}")
    return out.getvalue()


def refused(code, status, text, act, *args, **kwargs):
    """The act ends in this error, with this status, and words that hold the text."""
    try:
        act(*args, **kwargs)
    except ClientError as error:
        found = error.response
        assert found["Error"]["Code"] == code, found
        assert found["ResponseMetadata"]["HTTPStatusCode"] == status, found
        assert text in found["Error"]["Message"], found
        return found
    raise AssertionError(f"not refused: {act.__name__} {kwargs}")


def status(reply):
    return reply["ResponseMetadata"]["HTTPStatusCode"]


lam = client()
PARTS = []


def part(function):
    PARTS.append(function)
    return function


def create(name, **more):
    options = dict(FunctionName=name, Runtime="provided.thaw", Role=ROLE, Handler="any", Code={"ZipFile": echo_zip()})
    options.update(more)
    reply = lam.create_function(**options)
    lam.get_waiter("function_active_v2").wait(FunctionName=name)
    return reply


@part
def functions():
    made = create("first", Description="it echoes", Timeout=5, Tags={"team": "a"}, Environment={"Variables": {"A": "1"}})
    assert status(made) == 201 and made["State"] == "Pending" and "LastUpdateStatus" not in made, made
    assert made["FunctionArn"] == "arn:aws:lambda:us-east-1:000000000000:function:first"
    assert made["Version"] == "$LATEST" and made["CodeSize"] == len(echo_zip())
    assert made["ResponseMetadata"]["RequestId"]
    found = lam.get_function(FunctionName="first")
    configuration = found["Configuration"]
    assert configuration["State"] == "Active" and configuration["LastUpdateStatus"] == "Successful", configuration
    assert found["Tags"] == {"team": "a"} and found["Code"]["RepositoryType"] == "S3"
    assert lam.get_function_configuration(FunctionName=made["FunctionArn"])["FunctionName"] == "first"
    lam.get_waiter("function_exists").wait(FunctionName="first")
    lam.get_waiter("function_active").wait(FunctionName="first")
    refused("ResourceConflictException", 409, "Function already exist: first", create, "first")
    refused("ResourceNotFoundException", 404, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none",
            lam.get_function, FunctionName="none")
    refused("InvalidParameterValueException", 400, "Could not unzip uploaded file", lam.create_function,
            FunctionName="broken", Runtime="python3.12", Role=ROLE, Handler="a.b", Code={"ZipFile": b"no zip"})
    refused("InvalidParameterValueException", 400, "cobol", lam.create_function,
            FunctionName="broken", Runtime="cobol", Role=ROLE, Handler="a.b", Code={"ZipFile": echo_zip()})
    refused("ResourceNotFoundException", 404, "", lam.get_function, FunctionName="broken")
    updated = lam.update_function_code(FunctionName="first", ZipFile=echo_zip("two"))
    assert updated["LastUpdateStatus"] == "InProgress" and updated["CodeSha256"] != made["CodeSha256"]
    lam.get_waiter("function_updated_v2").wait(FunctionName="first")
    dry = lam.update_function_code(FunctionName="first", ZipFile=echo_zip("three"), DryRun=True)
    assert dry["CodeSha256"] == updated["CodeSha256"]
    changed = lam.update_function_configuration(FunctionName="first", Timeout=7, Environment={"Variables": {"B": "2"}})
    lam.get_waiter("function_updated").wait(FunctionName="first")
    assert changed["Timeout"] == 7 and changed["Environment"]["Variables"] == {"B": "2"}
    refused("PreconditionFailedException", 412, "Revision Id", lam.update_function_configuration,
            FunctionName="first", RevisionId="stale", Timeout=3)
    refused("InvalidParameterValueException", 400, "exceeded the 4KB limit", lam.update_function_configuration,
            FunctionName="first", Environment={"Variables": {"LONG": "x" * 5000}})


@part
def lists():
    for number in range(3):
        create(f"page-{number}")
    pages = list(lam.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    names = [function["FunctionName"] for page in pages for function in page["Functions"]]
    assert len(pages) >= 2 and names == sorted(names) and {"first", "page-0", "page-1", "page-2"} <= set(names), names
    for number in range(3):
        assert status(lam.delete_function(FunctionName=f"page-{number}")) == 204
    refused("ResourceNotFoundException", 404, "Function not found", lam.delete_function, FunctionName="page-0")


@part
def invocations():
    reply = lam.invoke(FunctionName="first", Payload=b'{"a": 1}')
    assert status(reply) == 200 and json.load(reply["Payload"]) == {"a": 1} and reply["ExecutedVersion"] == "$LATEST"
    tailed = lam.invoke(FunctionName="first", Payload=b"{}", LogType="Tail", ClientContext=base64.b64encode(b"{}").decode())
    log = base64.b64decode(tailed["LogResult"]).decode()
    request = tailed["ResponseMetadata"]["RequestId"]
    assert f"START RequestId: {request} Version: $LATEST\n" in log and f"REPORT RequestId: {request}\t" in log, log
    assert status(lam.invoke(FunctionName="first", InvocationType="DryRun")) == 204
    refused("ResourceNotFoundException", 404, "Function not found", lam.invoke, FunctionName="none")
    refused("InvalidRequestContentException", 400, "", lam.invoke, FunctionName="first", ClientContext="?")
    stream = lam.invoke_with_response_stream(FunctionName="first", Payload=b'"' + b"x" * 1_200_000 + b'"', LogType="Tail")
    events = list(stream["EventStream"])
    body = b"".join(event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event)
    assert body == b'"' + b"x" * 1_200_000 + b'"' and len(events) > 2 and "InvokeComplete" in events[-1]
    assert base64.b64decode(events[-1]["InvokeComplete"]["LogResult"]).startswith(b"START RequestId: ")


@part
def versions_and_aliases():
    one = lam.publish_version(FunctionName="first", Description="one")
    assert status(one) == 201 and one["Version"] == "1" and one["FunctionArn"].endswith(":first:1"), one
    assert lam.publish_version(FunctionName="first")["Version"] == "1"
    lam.get_waiter("published_version_active").wait(FunctionName="first", Qualifier="1")
    refused("InvalidParameterValueException", 400, "is different from current CodeSHA256", lam.publish_version,
            FunctionName="first", CodeSha256="other")
    two = lam.update_function_code(FunctionName="first", ZipFile=echo_zip("four"), Publish=True)
    assert two["Version"] == "2", two
    labels = [version["Version"] for page in lam.get_paginator("list_versions_by_function").paginate(FunctionName="first")
              for version in page["Versions"]]
    assert labels == ["$LATEST", "1", "2"], labels
    alias = lam.create_alias(FunctionName="first", Name="live", FunctionVersion="1")
    assert status(alias) == 201 and alias["AliasArn"].endswith(":first:live")
    refused("ResourceConflictException", 409, "Alias already exists", lam.create_alias,
            FunctionName="first", Name="live", FunctionVersion="1")
    refused("ResourceNotFoundException", 404, "Function not found", lam.create_alias,
            FunctionName="first", Name="other", FunctionVersion="9")
    assert lam.invoke(FunctionName="first:live")["ExecutedVersion"] == "1"
    assert lam.invoke(FunctionName="first", Qualifier="2")["ExecutedVersion"] == "2"
    refused("InvalidParameterValueException", 400, "does not match the specified qualifier", lam.invoke,
            FunctionName="first:live", Qualifier="2")
    routed = lam.update_alias(FunctionName="first", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    assert routed["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.5}} and routed["RevisionId"] != alias["RevisionId"]
    picks = {lam.invoke(FunctionName="first", Qualifier="live")["ExecutedVersion"] for _ in range(40)}
    assert picks == {"1", "2"}, picks
    refused("InvalidParameterValueException", 400, "already included in routing", lam.update_alias,
            FunctionName="first", Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})
    refused("PreconditionFailedException", 412, "Revision Id", lam.update_alias,
            FunctionName="first", Name="live", RevisionId="stale")
    cleared = lam.update_alias(FunctionName="first", Name="live", RoutingConfig={})
    assert "RoutingConfig" not in cleared
    assert lam.get_alias(FunctionName="first", Name="live")["FunctionVersion"] == "1"
    assert len(lam.get_paginator("list_aliases").paginate(FunctionName="first").build_full_result()["Aliases"]) == 1
    refused("ResourceConflictException", 409, "live", lam.delete_function, FunctionName="first", Qualifier="1")
    refused("InvalidParameterValueException", 400, "$LATEST version cannot be deleted", lam.delete_function,
            FunctionName="first", Qualifier="$LATEST")
    assert lam.get_function(FunctionName="first", Qualifier="live")["Configuration"]["Version"] == "1"


@part
def permissions_and_tags():
    added = lam.add_permission(FunctionName="first", StatementId="s1", Action="lambda:InvokeFunction",
                               Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::bucket", SourceAccount="000000000000")
    statement = json.loads(added["Statement"])
    assert status(added) == 201 and statement["Principal"] == {"Service": "s3.amazonaws.com"}, statement
    refused("ResourceConflictException", 409, "(s1) provided already exists", lam.add_permission,
            FunctionName="first", StatementId="s1", Action="lambda:InvokeFunction", Principal="*")
    policy = lam.get_policy(FunctionName="first")
    assert json.loads(policy["Policy"])["Statement"] == [statement] and policy["RevisionId"]
    refused("ResourceNotFoundException", 404, "Statement s2 is not found", lam.remove_permission,
            FunctionName="first", StatementId="s2")
    assert status(lam.remove_permission(FunctionName="first", StatementId="s1")) == 204
    refused("ResourceNotFoundException", 404, "does not exist", lam.get_policy, FunctionName="first")
    arn = lam.get_function_configuration(FunctionName="first")["FunctionArn"]
    assert status(lam.tag_resource(Resource=arn, Tags={"stage": "x"})) == 204
    assert lam.list_tags(Resource=arn)["Tags"] == {"team": "a", "stage": "x"}
    lam.untag_resource(Resource=arn, TagKeys=["team", "stage"])
    assert lam.list_tags(Resource=arn)["Tags"] == {}


@part
def concurrency():
    put = lam.put_function_concurrency(FunctionName="first", ReservedConcurrentExecutions=0)
    assert put["ReservedConcurrentExecutions"] == 0
    error = refused("TooManyRequestsException", 429, "Rate Exceeded.", lam.invoke, FunctionName="first")
    assert error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded" and error["Type"] == "User", error
    assert lam.get_function_concurrency(FunctionName="first")["ReservedConcurrentExecutions"] == 0
    assert lam.get_function(FunctionName="first")["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    refused("InvalidParameterValueException", 400, "UnreservedConcurrentExecution", lam.put_function_concurrency,
            FunctionName="first", ReservedConcurrentExecutions=5000)
    assert status(lam.delete_function_concurrency(FunctionName="first")) == 204
    assert status(lam.invoke(FunctionName="first")) == 200
    refused("InvalidParameterValueException", 400, "unpublished", lam.put_provisioned_concurrency_config,
            FunctionName="first", Qualifier="$LATEST", ProvisionedConcurrentExecutions=1)
    refused("ProvisionedConcurrencyConfigNotFoundException", 404, "No Provisioned Concurrency Config found",
            lam.get_provisioned_concurrency_config, FunctionName="first", Qualifier="2")
    put = lam.put_provisioned_concurrency_config(FunctionName="first", Qualifier="2", ProvisionedConcurrentExecutions=2)
    assert status(put) == 202 and put["Status"] == "IN_PROGRESS"
    deadline = time.time() + 20
    while lam.get_provisioned_concurrency_config(FunctionName="first", Qualifier="2")["Status"] != "READY":
        assert time.time() < deadline, "provisioned workers did not come"
        time.sleep(0.1)
    listed = lam.get_paginator("list_provisioned_concurrency_configs").paginate(FunctionName="first").build_full_result()
    assert listed["ProvisionedConcurrencyConfigs"][0]["FunctionArn"].endswith(":first:2")
    assert status(lam.delete_provisioned_concurrency_config(FunctionName="first", Qualifier="2")) == 204


@part
def event_invoke_configs():
    refused("ResourceNotFoundException", 404, "doesn't have an EventInvokeConfig", lam.get_function_event_invoke_config,
            FunctionName="first")
    refused("InvalidParameterValueException", 400, "at least one of", lam.put_function_event_invoke_config,
            FunctionName="first")
    put = lam.put_function_event_invoke_config(FunctionName="first", MaximumRetryAttempts=1)
    assert put["FunctionArn"].endswith(":first:$LATEST") and put["LastModified"].year >= 2024
    updated = lam.update_function_event_invoke_config(FunctionName="first", MaximumEventAgeInSeconds=60)
    assert updated["MaximumRetryAttempts"] == 1 and updated["MaximumEventAgeInSeconds"] == 60
    paginator = lam.get_paginator("list_function_event_invoke_configs")
    assert len(paginator.paginate(FunctionName="first").build_full_result()["FunctionEventInvokeConfigs"]) == 1
    assert status(lam.delete_function_event_invoke_config(FunctionName="first")) == 204


@part
def event_source_mappings():
    queue = "arn:aws:sqs:us-east-1:000000000000:queue"
    made = lam.create_event_source_mapping(EventSourceArn=queue, FunctionName="first")
    assert status(made) == 202 and made["State"] == "Creating" and made["BatchSize"] == 10, made
    uuid = made["UUID"]
    assert lam.get_event_source_mapping(UUID=uuid)["State"] == "Enabled"
    refused("ResourceConflictException", 409, uuid, lam.create_event_source_mapping, EventSourceArn=queue, FunctionName="first")
    refused("InvalidParameterValueException", 400, "Unrecognized event source", lam.create_event_source_mapping,
            EventSourceArn="arn:aws:nothing:us-east-1:000000000000:x", FunctionName="first")
    refused("InvalidParameterValueException", 400, "Maximum batch window", lam.update_event_source_mapping,
            UUID=uuid, BatchSize=100)
    assert lam.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"
    paginator = lam.get_paginator("list_event_source_mappings")
    assert paginator.paginate(FunctionName="first").build_full_result()["EventSourceMappings"][0]["State"] == "Disabled"
    assert lam.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    refused("ResourceNotFoundException", 404, "does not exist", lam.get_event_source_mapping, UUID=uuid)


@part
def layers():
    made = lam.publish_layer_version(LayerName="libs", Content={"ZipFile": echo_zip()}, CompatibleRuntimes=["python3.12"])
    assert status(made) == 201 and made["Version"] == 1 and made["LayerVersionArn"].endswith(":layer:libs:1")
    assert lam.publish_layer_version(LayerName="libs", Content={"ZipFile": echo_zip("2")})["Version"] == 2
    assert lam.get_layer_version(LayerName="libs", VersionNumber=1)["CompatibleRuntimes"] == ["python3.12"]
    assert lam.get_layer_version_by_arn(Arn=made["LayerVersionArn"])["Version"] == 1
    versions = lam.get_paginator("list_layer_versions").paginate(LayerName="libs").build_full_result()["LayerVersions"]
    assert [version["Version"] for version in versions] == [2, 1]
    assert lam.get_paginator("list_layers").paginate().build_full_result()["Layers"][0]["LatestMatchingVersion"]["Version"] == 2
    lam.add_layer_version_permission(LayerName="libs", VersionNumber=1, StatementId="all", Principal="*",
                                     Action="lambda:GetLayerVersion")
    assert json.loads(lam.get_layer_version_policy(LayerName="libs", VersionNumber=1)["Policy"])["Statement"]
    lam.remove_layer_version_permission(LayerName="libs", VersionNumber=1, StatementId="all")
    assert status(lam.delete_layer_version(LayerName="libs", VersionNumber=2)) == 204
    assert lam.publish_layer_version(LayerName="libs", Content={"ZipFile": echo_zip("3")})["Version"] == 3


@part
def settings():
    account = lam.get_account_settings()
    assert account["AccountLimit"]["ConcurrentExecutions"] == 1000 and account["AccountUsage"]["FunctionCount"] >= 1
    assert lam.get_function_recursion_config(FunctionName="first")["RecursiveLoop"] == "Terminate"
    assert lam.put_function_recursion_config(FunctionName="first", RecursiveLoop="Allow")["RecursiveLoop"] == "Allow"
    assert lam.get_runtime_management_config(FunctionName="first")["UpdateRuntimeOn"] == "Auto"
    assert lam.put_runtime_management_config(FunctionName="first", UpdateRuntimeOn="FunctionUpdate")["FunctionArn"]
    lam.get_function_code_signing_config(FunctionName="first")
    assert lam.list_code_signing_configs()["CodeSigningConfigs"] == []
    assert lam.list_capacity_providers()["CapacityProviders"] == []


@part
def signatures():
    refused("InvalidSignatureException", 403, "does not match", client(secret="wrong").list_functions)
    refused("UnrecognizedClientException", 403, "invalid", client(key="AKIDNOBODY").list_functions)
    try:
        urllib.request.urlopen(url + "/2015-03-31/functions")
        raise AssertionError("an unsigned request passed")
    except urllib.error.HTTPError as error:
        assert error.code == 403 and error.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    presigned = lam.generate_presigned_url("get_function", Params={"FunctionName": "first"}, ExpiresIn=60)
    assert json.load(urllib.request.urlopen(presigned))["Configuration"]["FunctionName"] == "first"


@part
def events():
    accepted = lam.invoke(FunctionName="first", InvocationType="Event", Payload=b'{"n": 1}')
    assert status(accepted) == 202 and accepted["Payload"].read() == b"" and "ExecutedVersion" not in accepted, accepted
    receipt(accepted["ResponseMetadata"]["RequestId"])
    assert lam.invoke_async(FunctionName="first", InvokeArgs=b"{}")["Status"] == 202
    refused("RequestTooLargeException", 413, "Event invocation type", lam.invoke, FunctionName="first",
            InvocationType="Event", Payload=b'"' + b"x" * 1_100_000 + b'"')
    refused("ResourceNotFoundException", 404, "Function not found", lam.invoke, FunctionName="none", InvocationType="Event")
    # What the first function's events lead to arrives at the second: its receipt is of a document of some hundred bytes.
    create("second")
    arn = lam.get_function_configuration(FunctionName="second")["FunctionArn"]
    lam.put_function_event_invoke_config(FunctionName="first", DestinationConfig={"OnSuccess": {"Destination": arn}})
    lam.invoke(FunctionName="first", InvocationType="Event", Payload=b'{"n": 2}')
    deadline = time.time() + 20
    while not any(each["function"] == "second" and each["bytesIn"] > 300 for each in receipts()):
        assert time.time() < deadline, "the destination was not called"
        time.sleep(0.05)
    lam.delete_function_event_invoke_config(FunctionName="first")
    lam.delete_function(FunctionName="second")


def receipts():
    # The node's own doors ask for no signature on this machine.
    return json.load(urllib.request.urlopen(url + "/receipts?last=20"))["receipts"]


def receipt(invocation):
    deadline = time.time() + 20
    while not any(each["id"] == invocation and each["outcome"] == "succeeded" for each in receipts()):
        assert time.time() < deadline, f"no receipt of {invocation}"
        time.sleep(0.05)


@part
def function_urls():
    made = lam.create_function_url_config(FunctionName="first", AuthType="NONE", Cors={"AllowOrigins": ["https://a.example"]})
    assert status(made) == 201 and "InvokeMode" not in made, made
    refused("ResourceConflictException", 409, "FunctionUrlConfig exists", lam.create_function_url_config,
            FunctionName="first", AuthType="NONE")
    found = lam.get_function_url_config(FunctionName="first")
    assert found["InvokeMode"] == "BUFFERED" and found["FunctionUrl"] == made["FunctionUrl"]
    try:
        urllib.request.urlopen(made["FunctionUrl"])
        raise AssertionError("a stranger passed without a permission")
    except urllib.error.HTTPError as error:
        assert error.code == 403, error
    lam.add_permission(FunctionName="first", StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*",
                       FunctionUrlAuthType="NONE")
    request = urllib.request.Request(made["FunctionUrl"] + "a/b%20c?x=1&x=2&y=%2F", data=b'{"k": 1}', method="PUT",
                                     headers={"Content-Type": "application/json", "Cookie": "a=1; b=2",
                                              "Origin": "https://a.example"})
    reply = urllib.request.urlopen(request)
    event = json.load(reply)
    assert reply.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert event["version"] == "2.0" and event["rawPath"] == "/a/b c" and event["rawQueryString"] == "x=1&x=2&y=%2F", event
    assert event["queryStringParameters"] == {"x": "1,2", "y": "/"} and event["cookies"] == ["a=1", "b=2"]
    assert event["requestContext"]["http"]["method"] == "PUT" and event["body"] == '{"k": 1}'
    assert event["isBase64Encoded"] is False and event["headers"]["content-type"] == "application/json"
    updated = lam.update_function_url_config(FunctionName="first", AuthType="AWS_IAM", InvokeMode="RESPONSE_STREAM")
    assert updated["InvokeMode"] == "RESPONSE_STREAM"
    try:
        urllib.request.urlopen(made["FunctionUrl"])
        raise AssertionError("an unsigned request passed")
    except urllib.error.HTTPError as error:
        assert error.code == 403, error
    listed = lam.get_paginator("list_function_url_configs").paginate(FunctionName="first").build_full_result()
    assert len(listed["FunctionUrlConfigs"]) == 1
    assert status(lam.delete_function_url_config(FunctionName="first")) == 204
    refused("ResourceNotFoundException", 404, "does not exist", lam.get_function_url_config, FunctionName="first")
    lam.remove_permission(FunctionName="first", StatementId="url")


@part
def uploads():
    archive = echo_zip("by reference")
    s3 = client("s3", s3={"addressing_style": "path"})
    s3.put_object(Bucket="uploads", Key="folder/code.zip", Body=archive)
    create("stored", Code={"S3Bucket": "uploads", "S3Key": "folder/code.zip"})
    assert lam.invoke(FunctionName="stored", Payload=b"7")["Payload"].read() == b"7"
    location = lam.get_function(FunctionName="stored")["Code"]["Location"]
    assert location.startswith(url + "/code/"), location
    assert s3.get_object(Bucket="uploads", Key="folder/code.zip")["Body"].read() == archive
    refused("InvalidParameterValueException", 400, "NoSuchKey", lam.update_function_code,
            FunctionName="stored", S3Bucket="uploads", S3Key="nothing")
    s3.delete_object(Bucket="uploads", Key="folder/code.zip")
    lam.delete_function(FunctionName="stored")


@part
def neighbours():
    assert client("sts").get_caller_identity()["Account"] == "000000000000"
    iam = client("iam")
    assert iam.get_role(RoleName="any")["Role"]["Arn"].endswith(":role/any")
    assert iam.list_attached_role_policies(RoleName="any")["AttachedPolicies"] == []


@part
def names():
    create("Odd_Name", Publish=True)
    assert lam.invoke(FunctionName="Odd_Name", Qualifier="1", Payload=b"1")["ExecutedVersion"] == "1"
    assert "Odd_Name" in [function["FunctionName"] for function in lam.list_functions()["Functions"]]
    refused("InvalidParameterValueException", 400, "less than or equal to 64", lam.get_function, FunctionName="x" * 70)
    lam.delete_function(FunctionName="Odd_Name")


@part
def ends():
    lam.delete_function(FunctionName="first")
    refused("ResourceNotFoundException", 404, "Function not found", lam.invoke, FunctionName="first")


for each in PARTS:
    begin = time.time()
    each()
    print(f"{each.__name__}: passed in {time.time() - begin:.1f} s", flush=True)
