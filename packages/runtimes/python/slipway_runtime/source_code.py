"""Fetches the user's code: a folder on this machine, or a sourcedir.tar.gz on S3.

boto3 finds the server by AWS_ENDPOINT_URL and its account by the job's own credentials; nothing is passed to it here
except S3_ENDPOINT_URL, which SageMaker's toolkit honours too.
"""

import os
import shutil
import tempfile
from urllib.parse import urlparse

from slipway_runtime import archive
from slipway_runtime.failures import ClientError

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
    import boto3
    import botocore.exceptions

    place = urlparse(source, allow_fragments=False)
    key = place.path.lstrip("/")
    if not place.netloc or not key:
        raise ClientError(f"{source} does not name a bucket and a key")
    client = boto3.client("s3", endpoint_url=os.environ.get("S3_ENDPOINT_URL") or None, region_name=region())
    with tempfile.TemporaryDirectory() as temporary:
        path = os.path.join(temporary, "sourcedir.tar.gz")
        try:
            answer = client.get_object(Bucket=place.netloc, Key=key)
            if answer["ContentLength"] > LARGEST_DOWNLOAD_BYTES:
                raise ClientError(
                    f"{source} has {answer['ContentLength']} bytes, {LARGEST_DOWNLOAD_BYTES} are the most"
                )
            with open(path, "wb") as file:
                shutil.copyfileobj(answer["Body"], file, 1 << 20)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise ClientError(f"{source} could not be downloaded: {error}") from None
        unpack(path, folder, source)


def region():
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def unpack(path, folder, source):
    try:
        archive.unpack(path, folder)
    except archive.HostileArchive as refusal:
        raise ClientError(f"{source} was not unpacked: {refusal}") from None
