"""Reads one object from S3 with a single signed request.

boto3's client takes 150 ms to make, because it reads the models of the whole service first; botocore's signer takes
one. That is most of what a training job would cost beyond its script.
"""

import http.client
import os
import re
import shutil
from urllib.parse import quote, urlparse

TIMEOUT_S = 60
LARGEST_ERROR_BYTES = 16_384


class CannotRead(Exception):
    """The object cannot be read; the sentence has the code and the message of S3."""


def read(endpoint, region, bucket, key, file, most_bytes):
    """Writes the object into an open file. Raises CannotRead, or OSError when the server cannot be reached."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    place = urlparse(endpoint)
    path = place.path.rstrip("/") + f"/{quote(bucket)}/{quote(key, safe='/~')}"
    request = AWSRequest("GET", f"{place.scheme}://{place.netloc}{path}")
    keys = (os.environ["AWS_ACCESS_KEY_ID"], os.environ.get("AWS_SECRET_ACCESS_KEY", ""))
    S3SigV4Auth(Credentials(*keys, os.environ.get("AWS_SESSION_TOKEN")), "s3", region).add_auth(request)
    connect = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = connect(place.netloc, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path, headers=dict(request.headers))
        answer = connection.getresponse()
        if answer.status != 200:
            raise CannotRead(explain(answer.status, answer.read(LARGEST_ERROR_BYTES).decode("utf-8", "replace")))
        if answer.length is None:
            raise CannotRead("the answer does not say how long it is")
        copy(answer, answer.length, file, most_bytes)
    except http.client.HTTPException as error:
        raise CannotRead(f"the answer was cut off ({error!r})") from None
    finally:
        connection.close()


def copy(stream, size, file, most_bytes):
    if size > most_bytes:
        raise CannotRead(f"it has {size} bytes, {most_bytes} are the most")
    shutil.copyfileobj(stream, file, 1 << 20)
    if file.tell() != size:
        raise CannotRead(f"{file.tell()} of {size} bytes arrived")


def explain(status, body):
    """Worked example: `NoSuchKey (404): The specified key does not exist.`"""
    found = [re.search(rf"<{name}>([^<]*)</{name}>", body) for name in ("Code", "Message")]
    code, message = (match[1] if match else "" for match in found)
    return f"{code or 'S3 answered'} ({status}): {message}".rstrip(": ")
