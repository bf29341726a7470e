"""Reads the digits of the images in a file: one call of the model for each, all in one reply."""

import json

import thaw


def handler(event, context):
    record = event["Records"][0]
    images = json.loads(record["body"])["images"]
    digits = [thaw.invoke("digits", {"image": image})["label"] for image in images]
    return {"file": record["s3"]["object"]["key"], "digits": digits}
