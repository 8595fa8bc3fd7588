"""STS and IAM by boto3, whose Query answers are parsed by another library than the JavaScript client's."""

import boto3

identity = boto3.client("sts").get_caller_identity()
assert (identity["Account"], identity["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:root"), identity

role = boto3.client("iam").get_role(RoleName="SageMakerRole")["Role"]
assert role["Arn"] == "arn:aws:iam::123456789012:role/SageMakerRole"
# botocore decodes the document by itself.
statement = role["AssumeRolePolicyDocument"]["Statement"][0]
assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"} and statement["Action"] == "sts:AssumeRole"

paginator = boto3.client("iam").get_paginator("simulate_principal_policy")
pages = paginator.paginate(PolicySourceArn=role["Arn"], ActionNames=["s3:GetObject"], ResourceArns=["*"])
assert [item["EvalDecision"] for page in pages for item in page["EvaluationResults"]] == ["allowed"]

lent = boto3.client("sts").assume_role(
    RoleArn="arn:aws:iam::210987654321:role/deployer", RoleSessionName="ci"
)["Credentials"]
session = boto3.Session(lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"])
arn = session.client("sts").get_caller_identity()["Arn"]
assert arn == "arn:aws:sts::210987654321:assumed-role/deployer/ci", arn
print("ok")
