"""A training job's folder for a test, and a run of the container's `train` in a process of its own."""

import json
import os
import shutil
import sys
import tempfile
import traceback
import unittest
from dataclasses import dataclass

# Before numpy and xgboost are imported: a process that opened a parallel region cannot be forked (libgomp hangs).
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from slipway_runtime import train  # noqa: E402
from slipway_runtime import xgboost_algorithm  # noqa: E402, F401


@dataclass
class Result:
    code: int
    output: str
    failure: str


class JobCase(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="slipway-contract-")
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)
        for name in ("input/config", "model", "output/data", "code"):
            os.makedirs(os.path.join(self.base, name))

    def path(self, *parts):
        return os.path.join(self.base, *parts)

    def write(self, name, content):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def configure(self, hyperparameters, channels=(), content_type="text/csv"):
        config = {
            name: {"ContentType": content_type, "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
            for name in channels
        }
        self.write("input/config/hyperparameters.json", json.dumps(hyperparameters))
        self.write("input/config/inputdataconfig.json", json.dumps(config))

    def channel(self, name, content, file="data.csv"):
        return self.write(f"input/data/{name}/{file}", content)

    def train(self, framework="xgboost", version="1.7-1", environment=None):
        """The container's `train` in a forked process; its streams become `output`."""
        log = self.path("log")
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
                os.dup2(descriptor, 1)
                os.dup2(descriptor, 2)
                sys.stdout = open(1, "w", 1, closefd=False)
                sys.stderr = open(2, "w", 1, closefd=False)
                os.environ["SAGEMAKER_BASE_DIR"] = self.base
                os.environ.update(environment or {})
                code = train.main(framework, version)
            except SystemExit as leaving:
                code = leaving.code or 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with open(log, encoding="utf-8") as file:
            output = file.read()
        failure = ""
        if os.path.exists(self.path("output/failure")):
            with open(self.path("output/failure"), encoding="utf-8") as file:
                failure = file.read()
        return Result(code, output, failure)


def csv_of(labels, rows):
    return "".join(",".join(str(float(cell)) for cell in [label, *row]) + "\n" for label, row in zip(labels, rows))
