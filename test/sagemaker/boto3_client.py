"""A whole life of a model by boto3, with its waiters and paginators, whose parser is another than the JavaScript client's."""

import io
import json
import tarfile

import boto3
from botocore.exceptions import ClientError

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ROLE = "arn:aws:iam::000000000000:role/SageMakerRole"
s3, sagemaker, runtime = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
WAIT = {"Delay": 1, "MaxAttempts": 120}


def refused(call, code, part):
    try:
        call()
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        assert part in error.response["Error"]["Message"], error.response
        return
    raise AssertionError("the request succeeded")


s3.create_bucket(Bucket="models")
rows = "\n".join(f"{(i % 7) * 2 + 1},{i % 7},{i % 3}" for i in range(200))
s3.put_object(Bucket="models", Key="data/train.csv", Body=rows)
s3.put_object(
    Bucket="models",
    Key="data/train.manifest",
    Body=json.dumps([{"prefix": "s3://models/data/"}, "train.csv"]),
)


def training_job(name, uri="s3://models/data/train.manifest", kind="ManifestFile"):
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "5", "objective": "reg:squarederror"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {"S3DataType": kind, "S3Uri": uri}},
            }
        ],
        OutputDataConfig={"S3OutputPath": "s3://models/out/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
        Tags=[{"Key": "team", "Value": "churn"}],
    )


training_job("from-boto3")
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="from-boto3", WaiterConfig=WAIT)
job = sagemaker.describe_training_job(TrainingJobName="from-boto3")
assert job["TrainingJobStatus"] == "Completed", job
assert job["OutputDataConfig"]["KmsKeyId"] == "" and job["TrainingEndTime"] >= job["CreationTime"], job
artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
assert artifact == "s3://models/out/from-boto3/output/model.tar.gz", artifact
body = s3.get_object(Bucket="models", Key="out/from-boto3/output/model.tar.gz")["Body"].read()
assert tarfile.open(fileobj=io.BytesIO(body)).getnames() == ["xgboost-model"]
assert sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == [{"Key": "team", "Value": "churn"}]
refused(lambda: training_job("from-boto3"), "ResourceInUse", "already exists")
refused(
    lambda: sagemaker.describe_training_job(TrainingJobName="nobody"),
    "ValidationException",
    "Requested resource not found.",
)
for number in range(3):
    training_job(f"lost-{number}", "s3://models/none/", "S3Prefix")
pages = sagemaker.get_paginator("list_training_jobs").paginate(PaginationConfig={"PageSize": 1})
names = [item["TrainingJobName"] for page in pages for item in page["TrainingJobSummaries"]]
assert names == ["lost-2", "lost-1", "lost-0", "from-boto3"], names

script = "import json, os\nopen('/dev/stdout', 'w').write('hello')\n"
s3.put_object(Bucket="models", Key="code/hello.py", Body=script)
sagemaker.create_processing_job(
    ProcessingJobName="hello",
    RoleArn=ROLE,
    AppSpecification={
        "ImageUri": IMAGE,
        "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/hello.py"],
    },
    ProcessingInputs=[
        {
            "InputName": "code",
            "S3Input": {
                "S3Uri": "s3://models/code/hello.py",
                "LocalPath": "/opt/ml/processing/input/code",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
    ],
    ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
)
sagemaker.get_waiter("processing_job_completed_or_stopped").wait(ProcessingJobName="hello", WaiterConfig=WAIT)
assert sagemaker.describe_processing_job(ProcessingJobName="hello")["ProcessingJobStatus"] == "Completed"

sagemaker.create_model_package_group(ModelPackageGroupName="churn")
package = sagemaker.create_model_package(
    ModelPackageGroupName="churn",
    InferenceSpecification={
        "Containers": [{"Image": IMAGE, "ModelDataUrl": artifact}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
)["ModelPackageArn"]
refused(
    lambda: sagemaker.create_model(
        ModelName="churn", ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": package}]
    ),
    "ValidationException",
    "not approved",
)
sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
latest = sagemaker.list_model_packages(ModelPackageGroupName="churn")["ModelPackageSummaryList"][0]
assert latest["ModelPackageArn"] == package and latest["ModelApprovalStatus"] == "Approved", latest
sagemaker.create_model(ModelName="churn", ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": package}])

variant = {"VariantName": "AllTraffic", "ModelName": "churn", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
sagemaker.create_endpoint_config(EndpointConfigName="churn", ProductionVariants=[variant])
sagemaker.create_endpoint(EndpointName="churn", EndpointConfigName="churn")
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="churn", WaiterConfig=WAIT)
answer = runtime.invoke_endpoint(EndpointName="churn", ContentType="text/csv", Body="3,1\n4,1\n")
assert answer["InvokedProductionVariant"] == "AllTraffic", answer
assert len(answer["Body"].read().decode().split()) == 2
sagemaker.create_endpoint_config(EndpointConfigName="churn-2", ProductionVariants=[variant])
sagemaker.update_endpoint(EndpointName="churn", EndpointConfigName="churn-2")
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="churn", WaiterConfig=WAIT)
assert sagemaker.describe_endpoint(EndpointName="churn")["EndpointConfigName"] == "churn-2"
sagemaker.delete_endpoint(EndpointName="churn")
sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="churn", WaiterConfig=WAIT)
refused(
    lambda: runtime.invoke_endpoint(EndpointName="churn", Body="1"),
    "ValidationError",
    "Endpoint churn of account 000000000000 not found.",
)
print("ok")
