"""Uploads archives as stock clients of S3 do: as a whole, in parts, in signed chunks; and makes functions of them.

usage: lambda_uploads.py URL ACCESS_KEY SECRET_KEY
"""

import base64
import hashlib
import hmac
import io
import os
import sys
import tempfile
import urllib.request
import zipfile
import zlib

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum

url, access_key, secret_key = sys.argv[1:4]


def client(service, **options):
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id=access_key,
        aws_secret_access_key=secret_key, config=Config(retries={"max_attempts": 1, "mode": "standard"}, **options))


lam = client("lambda")
s3 = client("s3", s3={"addressing_style": "path"})


def refused(code, status, text, act, *args, **kwargs):
    """The act ends in this error, with this status, and words that hold the text."""
    try:
        act(*args, **kwargs)
    except ClientError as error:
        found = error.response
        assert found["Error"]["Code"] == code, found
        assert found["ResponseMetadata"]["HTTPStatusCode"] == status, found
        assert text in found["Error"]["Message"], found
        return
    raise AssertionError(f"not refused: {act.__name__} {kwargs}")


def large_zip(byte_count):
    """A zip that holds a bundle of Thaw's own, which returns its input, with so many bytes that no packing makes smaller."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("function.yaml", "name: any\ndescription: large\n")
        archive.writestr("ballast", os.urandom(byte_count))
    return out.getvalue()


def uploads_in_parts():
    archive = large_zip(6 << 20)
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=4)
    with tempfile.NamedTemporaryFile() as file:
        file.write(archive)
        file.flush()
        s3.upload_file(file.name, "uploads", "large.zip", Config=parts)
    with tempfile.NamedTemporaryFile() as file:
        s3.download_file("uploads", "large.zip", file.name, Config=parts)
        assert open(file.name, "rb").read() == archive
    refused("InvalidRange", 416, "", s3.get_object, Bucket="uploads", Key="large.zip", Range=f"bytes={len(archive)}-")
    lam.create_function(
        FunctionName="large", Runtime="provided.al2023", Role="arn:aws:iam::000000000000:role/any", Handler="any",
        Code={"S3Bucket": "uploads", "S3Key": "large.zip"})
    lam.get_waiter("function_active_v2").wait(FunctionName="large")
    found = lam.get_function(FunctionName="large")
    digest = base64.b64encode(hashlib.sha256(archive).digest()).decode()
    assert found["Configuration"]["CodeSha256"] == digest, found
    assert lam.invoke(FunctionName="large", Payload=b"1")["Payload"].read() == b"1"
    # Presigned: whoever has the location needs no key.
    assert urllib.request.urlopen(found["Code"]["Location"]).read() == archive
    lam.delete_function(FunctionName="large")

    named = {"Bucket": "uploads", "Key": "parts"}
    upload = s3.create_multipart_upload(**named)["UploadId"]
    tags = [s3.upload_part(**named, UploadId=upload, PartNumber=n, Body=body)["ETag"]
            for n, body in [(1, b"one"), (2, b"two"), (2, b"2"), (7, b"seven")]]
    for wrong, code in [([(1, tags[1])], "InvalidPart"), ([(2, tags[2]), (1, tags[0])], "InvalidPartOrder")]:
        listed = {"Parts": [{"PartNumber": n, "ETag": tag} for n, tag in wrong]}
        refused(code, 400, "", s3.complete_multipart_upload, **named, UploadId=upload, MultipartUpload=listed)
    right = {"Parts": [{"PartNumber": n, "ETag": tags[i]} for n, i in [(1, 0), (2, 2)]]}
    s3.complete_multipart_upload(**named, UploadId=upload, MultipartUpload=right)
    assert s3.get_object(**named)["Body"].read() == b"one2"
    refused("NoSuchUpload", 404, "", s3.upload_part, **named, UploadId=upload, PartNumber=1, Body=b"late")
    upload = s3.create_multipart_upload(**named)["UploadId"]
    s3.abort_multipart_upload(**named, UploadId=upload)
    refused("NoSuchUpload", 404, "", s3.abort_multipart_upload, **named, UploadId=upload)
    refused("BadDigest", 400, "crc32", s3.put_object, **named, Body=b"x", ChecksumCRC32="AAAAAA==")
    for algorithm in ["CRC32", "SHA256"]:
        s3.put_object(**named, Body=b"123456789", ChecksumAlgorithm=algorithm)
    refused("NotImplemented", 501, "sha1", s3.put_object, **named, Body=b"x", ChecksumAlgorithm="SHA1")
    refused("NoSuchKey", 404, "", s3.get_object, Bucket="uploads", Key="nothing")


def put_signed(body, headers, sign=None):
    """PUT /uploads/coded with these headers in the signature; `sign` makes the body of the request that was signed."""
    request = AWSRequest("PUT", url + "/uploads/coded", headers=headers)
    signer = S3SigV4Auth(Credentials(access_key, secret_key), "s3", "us-east-1")
    signer.payload = lambda request: headers["x-amz-content-sha256"]
    signer.add_auth(request)
    sent = urllib.request.Request(request.url, sign(request) if sign else body, dict(request.headers), method="PUT")
    try:
        return urllib.request.urlopen(sent).status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def coded_uploads():
    data = os.urandom(150_000)
    # In chunks, with the checksum behind them: the body is what botocore sends over TLS.
    wrapped = AwsChunkedWrapper(io.BytesIO(data), checksum_cls=Crc32Checksum, checksum_name="x-amz-checksum-crc32").read()
    headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-trailer": "x-amz-checksum-crc32",
               "x-amz-decoded-content-length": str(len(data)), "Content-Encoding": "aws-chunked"}
    accepted = put_signed(wrapped, headers)
    assert accepted == (200, ""), accepted
    assert s3.get_object(Bucket="uploads", Key="coded")["Body"].read() == data
    changed = wrapped.replace(data[:4], bytes(byte ^ 1 for byte in data[:4]), 1)
    for body, code in [(changed, "BadDigest"), (wrapped[:-2], "IncompleteBody"), (b"z" + wrapped, "IncompleteBody")]:
        status, text = put_signed(body, headers)
        assert status == 400 and code in text, (status, text)

    # Each chunk signed, as other clients of AWS do.
    def signed_chunks(change, trailer=False):
        def sign(request):
            previous = request.headers["Authorization"].rpartition("=")[2]
            date = request.headers["X-Amz-Date"]
            scope = f"{date[:8]}/us-east-1/s3/aws4_request"
            key = f"AWS4{secret_key}".encode()
            for name in scope.split("/"):
                key = hmac.new(key, name.encode(), hashlib.sha256).digest()
            out = b""
            for start in [0, 65_536, 131_072, len(data)]:
                chunk = data[start:start + 65_536]
                text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", date, scope, previous, hashlib.sha256(b"").hexdigest(),
                                  hashlib.sha256(chunk).hexdigest()])
                previous = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
                out += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + (chunk + b"\r\n" if chunk else b"")
            if trailer:
                line = "x-amz-checksum-crc32:" + base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode() + "\n"
                text = "\n".join(["AWS4-HMAC-SHA256-TRAILER", date, scope, previous,
                                  hashlib.sha256(line.encode()).hexdigest()])
                mark = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
                out += line[:-1].encode() + f"\r\nx-amz-trailer-signature:{mark}\r\n".encode()
            return change(out + b"\r\n")
        return sign

    headers = {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
               "x-amz-decoded-content-length": str(len(data)), "Content-Encoding": "aws-chunked"}
    flipped = bytes([data[-1] ^ 1])
    assert put_signed(None, headers, signed_chunks(lambda body: body)) == (200, "")
    assert s3.get_object(Bucket="uploads", Key="coded")["Body"].read() == data
    status, text = put_signed(None, headers, signed_chunks(lambda body: body.replace(data[-8:], data[-8:-1] + flipped)))
    assert status == 403 and "SignatureDoesNotMatch" in text, (status, text)
    headers |= {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "x-amz-trailer": "x-amz-checksum-crc32"}
    assert put_signed(None, headers, signed_chunks(lambda body: body, trailer=True)) == (200, "")
    s3.delete_object(Bucket="uploads", Key="coded")


uploads_in_parts()
print("parts: passed")
coded_uploads()
print("chunks: passed")
