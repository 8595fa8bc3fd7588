"""What boto3 does with S3, against the server named by AWS_ENDPOINT_URL. Prints `ok` at the end; asserts on the way."""

import io
import os
import urllib.parse
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

s3 = boto3.client("s3")
bucket = "boto-bucket"


def code_of(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    raise AssertionError("the call succeeded")


assert code_of(s3.head_bucket, Bucket=bucket) == ("404", 404)
s3.create_bucket(Bucket=bucket)
s3.get_waiter("bucket_exists").wait(Bucket=bucket)
assert bucket in [item["Name"] for item in s3.list_buckets()["Buckets"]]
assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None

north = boto3.client("s3", region_name="eu-north-1")
assert code_of(north.create_bucket, Bucket="boto-north")[0] == "IllegalLocationConstraintException"
north.create_bucket(Bucket="boto-north", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
assert s3.get_bucket_location(Bucket="boto-north")["LocationConstraint"] == "eu-north-1"

key = "input/ä b+c&d/train.csv"
put = s3.put_object(Bucket=bucket, Key=key, Body=b"1,2\n3,4\n", ContentType="text/csv", Metadata={"rows": "2"})
got = s3.get_object(Bucket=bucket, Key=key)
assert got["Body"].read() == b"1,2\n3,4\n"
assert got["ETag"] == put["ETag"] and got["ContentType"] == "text/csv" and got["Metadata"] == {"rows": "2"}
assert got["LastModified"].tzinfo is not None
assert s3.get_object(Bucket=bucket, Key=key, Range="bytes=4-6")["Body"].read() == b"3,4"
assert code_of(s3.get_object, Bucket=bucket, Key="absent") == ("NoSuchKey", 404)
assert code_of(s3.head_object, Bucket=bucket, Key="absent") == ("404", 404)
assert code_of(s3.put_object, Bucket=bucket, Key=key, Body=b"", IfNoneMatch="*") == ("PreconditionFailed", 412)
assert code_of(s3.get_object, Bucket=bucket, Key=key, IfNoneMatch=put["ETag"])[1] == 304

# A managed upload of 20 MiB is multipart, with a checksum for each part.
large = os.urandom(20 * 1024 * 1024 + 17)
config = TransferConfig(multipart_threshold=8 * 1024 * 1024, multipart_chunksize=8 * 1024 * 1024, max_concurrency=4)
s3.upload_fileobj(io.BytesIO(large), bucket, "large", Config=config)
head = s3.head_object(Bucket=bucket, Key="large")
assert head["ContentLength"] == len(large) and head["ETag"].endswith('-3"')
target = io.BytesIO()
s3.download_fileobj(bucket, "large", target, Config=config)
assert target.getvalue() == large
s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "folder/copy of large", Config=config)
target = io.BytesIO()
s3.download_fileobj(bucket, "folder/copy of large", target, Config=config)
assert target.getvalue() == large

s3.copy_object(Bucket=bucket, Key="copied", CopySource={"Bucket": bucket, "Key": key})
assert s3.head_object(Bucket=bucket, Key="copied")["Metadata"] == {"rows": "2"}

pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
assert keys == sorted(["copied", "folder/copy of large", key, "large"], key=lambda name: name.encode()), keys
prefixes = s3.list_objects_v2(Bucket=bucket, Delimiter="/")["CommonPrefixes"]
assert prefixes == [{"Prefix": "folder/"}, {"Prefix": "input/"}]
assert [item.key for item in boto3.resource("s3").Bucket(bucket).objects.filter(Prefix="input/")] == [key]

url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=60)
assert urllib.request.urlopen(url).read() == b"1,2\n3,4\n"
url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "presigned"}, ExpiresIn=60)
urllib.request.urlopen(urllib.request.Request(url, data=b"put", method="PUT"))
assert s3.get_object(Bucket=bucket, Key="presigned")["Body"].read() == b"put"

for algorithm in ["CRC32", "SHA1", "SHA256"]:
    s3.put_object(Bucket=bucket, Key="checked", Body=b"abc", ChecksumAlgorithm=algorithm)
    attributes = s3.head_object(Bucket=bucket, Key="checked", ChecksumMode="ENABLED")
    assert attributes["Checksum" + algorithm], attributes
    assert s3.get_object(Bucket=bucket, Key="checked", ChecksumMode="ENABLED")["Body"].read() == b"abc"

s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
boto3.resource("s3").Bucket(bucket).object_versions.delete()
s3.get_waiter("object_not_exists").wait(Bucket=bucket, Key=key)
s3.delete_bucket(Bucket=bucket)
s3.delete_bucket(Bucket="boto-north")
print("ok")
