"""Fetches the user's code: a folder on this machine, or a sourcedir.tar.gz on S3.

The server is found by AWS_ENDPOINT_URL, or by S3_ENDPOINT_URL as in SageMaker's toolkit, and the account by the job's
own credentials.
"""

import os
import shutil
import tempfile
from urllib.parse import urlparse

from slipway_runtime import archive, s3_object
from slipway_runtime.failures import ClientError

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "S3_ENDPOINT_URL", "AWS_ENDPOINT_URL")
LARGEST_DOWNLOAD_BYTES = archive.LARGEST_PACKED_BYTES


def fetch(source, folder):
    """Puts the code of `source` into `folder`. Raises ClientError with a sentence for people."""
    if source.startswith("s3://"):
        fetch_from_s3(source, folder)
    elif urlparse(source).scheme in ("http", "https", "ftp"):
        raise ClientError(f"the code may lie on s3:// or on this machine, not at {source}")
    elif os.path.isdir(source):
        if os.path.realpath(source) != os.path.realpath(folder):
            shutil.copytree(source, folder, dirs_exist_ok=True, symlinks=True)
    elif os.path.isfile(source):
        unpack(source, folder, source)
    else:
        raise ClientError(f"the code at {source} does not exist")


def fetch_from_s3(source, folder):
    place = urlparse(source, allow_fragments=False)
    bucket, key = place.netloc, place.path.lstrip("/")
    if not bucket or not key:
        raise ClientError(f"{source} does not name a bucket and a key")
    with tempfile.TemporaryDirectory() as temporary:
        path = os.path.join(temporary, "sourcedir.tar.gz")
        try:
            with open(path, "wb") as file:
                download(bucket, key, file)
        except (s3_object.CannotRead, OSError) as error:
            raise ClientError(f"{source} could not be downloaded: {error}") from None
        unpack(path, folder, source)


def download(bucket, key, file):
    """With an endpoint and keys in the environment, as every job has them, one signed request; else by boto3."""
    endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None)
    if endpoint and os.environ.get("AWS_ACCESS_KEY_ID"):
        s3_object.read(endpoint, region(), bucket, key, file, LARGEST_DOWNLOAD_BYTES)
        return
    import boto3
    import botocore.exceptions

    try:
        answer = boto3.client("s3", endpoint_url=endpoint, region_name=region()).get_object(Bucket=bucket, Key=key)
        s3_object.copy(answer["Body"], answer["ContentLength"], file, LARGEST_DOWNLOAD_BYTES)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise s3_object.CannotRead(str(error)) from None


def region():
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def unpack(path, folder, source):
    try:
        archive.unpack(path, folder)
    except archive.HostileArchive as refusal:
        raise ClientError(f"{source} was not unpacked: {refusal}") from None
