"""Calls operations through botocore, one JSON line a call, so that a test can hold its bytes against ours.

Reads {"service", "operation", "input", "endpoint"} and answers {"output"} or {"error"}. Values that JSON lacks are
tagged: {"$bytes": base64}, {"$time": milliseconds}, {"$float": "NaN"}.
"""

import base64
import datetime
import json
import sys

import botocore.session
from botocore.config import Config
from botocore.response import StreamingBody

SESSION = botocore.session.Session()
SESSION.set_credentials("123456789012", "secret")
CONFIG = Config(
    retries={"total_max_attempts": 1},
    inject_host_prefix=False,
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    s3={"addressing_style": "path"},
    read_timeout=20,
)
CLIENTS = {}
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def client(service, endpoint):
    key = (service, endpoint)
    if key not in CLIENTS:
        CLIENTS[key] = SESSION.create_client(
            service, region_name="eu-west-1", endpoint_url=endpoint, config=CONFIG
        )
    return CLIENTS[key]


def untag(value):
    if isinstance(value, list):
        return [untag(item) for item in value]
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        if "$time" in value:
            return EPOCH + datetime.timedelta(milliseconds=value["$time"])
        if "$float" in value:
            return float(value["$float"])
        return {key: untag(item) for key, item in value.items()}
    return value


def tag(value):
    if isinstance(value, list):
        return [tag(item) for item in value]
    if isinstance(value, dict):
        return {key: tag(item) for key, item in value.items()}
    if isinstance(value, StreamingBody):
        value = value.read()
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime.datetime):
        return {"$time": round((value - EPOCH) / datetime.timedelta(milliseconds=1))}
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"$float": {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]}
    return value


def answer(request):
    try:
        target = client(request["service"], request["endpoint"])
        output = target._make_api_call(request["operation"], untag(request["input"]))
    except Exception as error:  # the test reports whatever it was
        response = getattr(error, "response", None)
        return {"error": f"{type(error).__name__}: {error}", "response": tag(response)}
    metadata = output.pop("ResponseMetadata", {})
    return {"output": tag(output), "requestId": metadata.get("RequestId"), "status": metadata.get("HTTPStatusCode")}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line)), default=repr), flush=True)
