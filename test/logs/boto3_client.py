"""Reads a job's log as the SageMaker SDK's tailer does: its streams, then events until there are none."""

import boto3
from botocore.exceptions import ClientError

logs = boto3.client("logs")
group = "/aws/sagemaker/TrainingJobs"

try:
    logs.describe_log_streams(logGroupName="/aws/none", logStreamNamePrefix="x/", orderBy="LogStreamName", limit=1)
    raise AssertionError("the group exists")
except ClientError as error:
    assert error.response["Error"]["Code"] == "ResourceNotFoundException"

streams = logs.describe_log_streams(
    logGroupName=group, logStreamNamePrefix="gamma/", orderBy="LogStreamName", limit=1
)
assert "nextToken" not in streams
(stream,) = [item["logStreamName"] for item in streams["logStreams"]]

arguments = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
messages = []
while True:
    page = logs.get_log_events(**arguments)
    if not page["events"]:
        break
    messages += [event["message"] for event in page["events"]]
    arguments["nextToken"] = page["nextForwardToken"]
assert messages == ["gamma starts", "[0]#011train-rmse:0.5", "ERROR: out of memory", "gamma ends"], messages

pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern="ends", limit=1)
ends = [event["message"] for page in pages for event in page["events"]]
assert ends == ["alpha ends", "beta ends", "gamma ends"], ends
print("ok")
