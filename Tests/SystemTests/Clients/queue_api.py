"""Drives the queues of a node with stock boto3: every operation of SQS, and a mapping that feeds a function.

usage: queue_api.py URL ACCESS_KEY SECRET_KEY

boto3 compares the digests of what it sends and receives by itself. Prints one line for each part, and ends with status 1 at the
first thing that is not as AWS has it.
"""

import io
import json
import sys
import threading
import time
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url, access_key, secret_key = sys.argv[1:4]
ARN = "arn:aws:sqs:us-east-1:000000000000:"


def client(service, key=access_key, secret=secret_key):
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 1, "mode": "standard"}, read_timeout=30))


sqs = client("sqs")
PARTS = []


def part(function):
    PARTS.append(function)
    return function


def refused(code, act, **kwargs):
    try:
        act(**kwargs)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return error.response
    raise AssertionError(f"not refused: {kwargs}")


def drain(queue, **kwargs):
    return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, **kwargs).get("Messages", [])


@part
def queues():
    made = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "5"}, tags={"team": "a"})["QueueUrl"]
    assert sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "5"})["QueueUrl"] == made
    refused("QueueAlreadyExists", sqs.create_queue, QueueName="jobs", Attributes={"VisibilityTimeout": "6"})
    assert sqs.get_queue_url(QueueName="jobs")["QueueUrl"] == made
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName="none")
    try:
        sqs.get_queue_url(QueueName="none")
    except sqs.exceptions.QueueDoesNotExist:
        pass
    refused("InvalidParameterValue", sqs.create_queue, QueueName="no spaces")
    refused("InvalidAttributeName", sqs.create_queue, QueueName="x", Attributes={"Colour": "red"})
    refused("InvalidAttributeValue", sqs.create_queue, QueueName="x", Attributes={"DelaySeconds": "901"})
    assert sqs.list_queues()["QueueUrls"] == [made]
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="zzz")
    sqs.set_queue_attributes(QueueUrl=made, Attributes={"VisibilityTimeout": "7", "DelaySeconds": "0"})
    found = sqs.get_queue_attributes(QueueUrl=made, AttributeNames=["All"])["Attributes"]
    assert found["VisibilityTimeout"] == "7" and found["QueueArn"] == ARN + "jobs", found
    assert found["ApproximateNumberOfMessages"] == "0" and int(found["CreatedTimestamp"]) > 1.6e9, found
    one = sqs.get_queue_attributes(QueueUrl=made, AttributeNames=["QueueArn"])["Attributes"]
    assert one == {"QueueArn": ARN + "jobs"}, one
    sqs.tag_queue(QueueUrl=made, Tags={"stage": "b"})
    sqs.untag_queue(QueueUrl=made, TagKeys=["team"])
    assert sqs.list_queue_tags(QueueUrl=made)["Tags"] == {"stage": "b"}
    sqs.delete_queue(QueueUrl=made)
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.send_message, QueueUrl=made, MessageBody="x")


@part
def messages():
    queue = sqs.create_queue(QueueName="messages")["QueueUrl"]
    attributes = {
        "Colour": {"DataType": "String", "StringValue": "rot ☂"}, "Size": {"DataType": "Number", "StringValue": "4.5"},
        "Raw": {"DataType": "Binary.png", "BinaryValue": b"\x00\xff\x01"},
    }
    sent = sqs.send_message(QueueUrl=queue, MessageBody="héllo", MessageAttributes=attributes)
    got = drain(queue, AttributeNames=["All"], MessageAttributeNames=["All"])
    assert len(got) == 1 and got[0]["MessageId"] == sent["MessageId"] and got[0]["Body"] == "héllo", got
    assert got[0]["MessageAttributes"] == attributes, got
    assert got[0]["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert got[0]["Attributes"]["ApproximateReceiveCount"] == "1", got
    assert drain(queue) == []
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessagesNotVisible"] == "1", counts
    # Back at once, as somebody else's.
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=got[0]["ReceiptHandle"], VisibilityTimeout=0)
    again = drain(queue, MessageAttributeNames=["Col.*"], MessageSystemAttributeNames=["ApproximateReceiveCount"])
    assert again[0]["Attributes"] == {"ApproximateReceiveCount": "2"}, again
    assert list(again[0]["MessageAttributes"]) == ["Colour"] or "MessageAttributes" not in again[0], again
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=again[0]["ReceiptHandle"])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=again[0]["ReceiptHandle"])
    refused("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=queue, ReceiptHandle="what?")
    refused("AWS.SimpleQueueService.MessageNotInflight", sqs.change_message_visibility, QueueUrl=queue,
            ReceiptHandle=again[0]["ReceiptHandle"], VisibilityTimeout=5)
    refused("InvalidParameterValue", sqs.receive_message, QueueUrl=queue, MaxNumberOfMessages=11)
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=queue, MessageBody="x" * (1 << 20) + "x")
    sqs.send_message(QueueUrl=queue, MessageBody="gone")
    sqs.purge_queue(QueueUrl=queue)
    assert drain(queue) == []


@part
def batches():
    queue = sqs.create_queue(QueueName="batches")["QueueUrl"]
    entries = [{"Id": str(n), "MessageBody": f"body {n}"} for n in range(10)]
    sent = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert len(sent["Successful"]) == 10 and "Failed" not in sent, sent
    refused("AWS.SimpleQueueService.EmptyBatchRequest", sqs.send_message_batch, QueueUrl=queue, Entries=[])
    refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", sqs.send_message_batch, QueueUrl=queue,
            Entries=entries + [{"Id": "x", "MessageBody": "x"}])
    refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", sqs.send_message_batch, QueueUrl=queue,
            Entries=entries[:1] * 2)
    got = drain(queue)
    assert sorted(m["Body"] for m in got) == [f"body {n}" for n in range(10)], got
    handles = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(got)]
    held = sqs.change_message_visibility_batch(
        QueueUrl=queue, Entries=[dict(h, VisibilityTimeout=60) for h in handles[:2]])
    assert len(held["Successful"]) == 2
    gone = sqs.delete_message_batch(QueueUrl=queue, Entries=handles + [{"Id": "bad", "ReceiptHandle": "bad"}][:0])
    assert len(gone["Successful"]) == 10, gone
    some = sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": "bad", "ReceiptHandle": "bad"}])
    assert some["Failed"][0]["Id"] == "bad" and some["Failed"][0]["SenderFault"], some


@part
def waiting():
    queue = sqs.create_queue(QueueName="waiting")["QueueUrl"]
    begun = time.monotonic()
    assert drain(queue, WaitTimeSeconds=1) == []
    assert time.monotonic() - begun >= 0.9
    threading.Timer(0.3, lambda: client("sqs").send_message(QueueUrl=queue, MessageBody="now")).start()
    begun = time.monotonic()
    got = drain(queue, WaitTimeSeconds=20)
    assert [m["Body"] for m in got] == ["now"] and time.monotonic() - begun < 10, got
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=1)
    assert drain(queue) == []
    assert [m["Body"] for m in drain(queue, WaitTimeSeconds=20)] == ["later"]
    # What nobody deletes comes again by itself, while somebody waits for it.
    sqs.send_message(QueueUrl=queue, MessageBody="again")
    assert len(drain(queue, VisibilityTimeout=1)) == 1
    assert [m["Body"] for m in drain(queue, WaitTimeSeconds=20)] == ["again"]


@part
def order():
    fifo = sqs.create_queue(QueueName="order.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    refused("MissingParameter", sqs.send_message, QueueUrl=fifo, MessageBody="x")
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=fifo, MessageBody="x", MessageGroupId="g")
    numbers = []
    for n, group in enumerate("aabab"):
        sent = sqs.send_message(
            QueueUrl=fifo, MessageBody=f"{group}{n}", MessageGroupId=group, MessageDeduplicationId=str(n))
        numbers.append(sent["SequenceNumber"])
    assert numbers == sorted(numbers), numbers
    twice = sqs.send_message(QueueUrl=fifo, MessageBody="a0", MessageGroupId="a", MessageDeduplicationId="0")
    first = sqs.receive_message(QueueUrl=fifo, AttributeNames=["All"])["Messages"][0]
    assert first["MessageId"] == twice["MessageId"] and first["Attributes"]["MessageGroupId"] == "a", first
    rest = drain(fifo)
    assert [m["Body"] for m in rest] == ["b2", "b4"], rest
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=first["ReceiptHandle"])
    assert [m["Body"] for m in drain(fifo)] == ["a1", "a3"]
    content = sqs.create_queue(
        QueueName="content.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
    ids = {sqs.send_message(QueueUrl=content, MessageBody="same", MessageGroupId="g")["MessageId"] for _ in range(3)}
    assert len(ids) == 1 and len(drain(content)) == 1


@part
def dead_letters():
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": ARN + "dead", "maxReceiveCount": 2})
    queue = sqs.create_queue(QueueName="poison", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]
    sent = sqs.send_message(QueueUrl=queue, MessageBody="bad")
    for _ in range(2):
        assert len(drain(queue, VisibilityTimeout=0)) == 1
    assert drain(queue) == []
    letters = drain(dead, AttributeNames=["All"], VisibilityTimeout=0)
    assert letters[0]["MessageId"] == sent["MessageId"], letters
    assert letters[0]["Attributes"]["DeadLetterQueueSourceArn"] == ARN + "poison", letters
    task = sqs.start_message_move_task(SourceArn=ARN + "dead")
    assert task["TaskHandle"]
    assert [m["Body"] for m in drain(queue, WaitTimeSeconds=20)] == ["bad"]
    for _ in range(50):
        done = sqs.list_message_move_tasks(SourceArn=ARN + "dead")["Results"][0]
        if done["Status"] == "COMPLETED":
            break
        time.sleep(0.1)
    assert done["Status"] == "COMPLETED" and done["ApproximateNumberOfMessagesMoved"] == 1, done
    refused("InvalidParameterValue", sqs.start_message_move_task, SourceArn=ARN + "poison")
    refused("ResourceNotFoundException", sqs.cancel_message_move_task, TaskHandle="none")


@part
def mapping():
    lam = client("lambda")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("function.yaml", "name: fed\n")
    lam.create_function(FunctionName="fed", Runtime="provided.al2023", Handler="x",
                        Role="arn:aws:iam::000000000000:role/any", Code={"ZipFile": out.getvalue()})
    lam.get_waiter("function_active_v2").wait(FunctionName="fed")
    queue = sqs.create_queue(QueueName="feed")["QueueUrl"]
    made = lam.create_event_source_mapping(FunctionName="fed", EventSourceArn=ARN + "feed", BatchSize=5)
    for n in range(12):
        sqs.send_message(QueueUrl=queue, MessageBody=str(n))
    for _ in range(200):
        left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        if left["ApproximateNumberOfMessages"] == left["ApproximateNumberOfMessagesNotVisible"] == "0":
            break
        time.sleep(0.1)
    else:
        raise AssertionError(left)
    lam.delete_event_source_mapping(UUID=made["UUID"])
    # What a call led to comes into a queue, as the record that Lambda writes.
    lam.put_function_event_invoke_config(
        FunctionName="fed", DestinationConfig={"OnSuccess": {"Destination": ARN + "results"}})
    results = sqs.create_queue(QueueName="results")["QueueUrl"]
    accepted = lam.invoke(FunctionName="fed", InvocationType="Event", Payload=b'{"n": 1}')
    assert accepted["StatusCode"] == 202
    record = json.loads(drain(results, WaitTimeSeconds=20)[0]["Body"])
    assert record["requestContext"]["condition"] == "Success" and record["requestPayload"] == {"n": 1}, record
    assert record["requestContext"]["requestId"] == accepted["ResponseMetadata"]["RequestId"], record


@part
def access():
    try:
        client("sqs", secret="wrong").list_queues()
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error.response
    else:
        raise AssertionError("a wrong secret was taken")


for each in PARTS:
    each()
    print(f"{each.__name__}: passed", flush=True)
print("ends: passed")
