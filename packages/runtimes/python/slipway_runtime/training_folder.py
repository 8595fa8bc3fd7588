"""What a training job finds below /opt/ml, or below SAGEMAKER_BASE_DIR where that is set.

Source: the developer guide's "How Amazon SageMaker provides training information" and the training toolkit's
environment.py. The files are optional here, so that a container can also be tried by hand.
"""

import json
import os

from slipway_runtime.failures import ClientError

OPT_ML = "/opt/ml"
HOST = "algo-1"
GROUP = "homogeneousCluster"


class TrainingFolder:
    def __init__(self, base=None):
        self.base = base or os.environ.get("SAGEMAKER_BASE_DIR") or OPT_ML
        self.code = os.path.join(self.base, "code")
        self.model = os.path.join(self.base, "model")
        self.input = os.path.join(self.base, "input")
        self.config = os.path.join(self.input, "config")
        self.output = os.path.join(self.base, "output")
        self.output_data = os.path.join(self.output, "data")
        self.intermediate = os.path.join(self.output, "intermediate")

    def channel(self, name):
        return os.path.join(self.input, "data", name)

    def make_folders(self):
        for folder in (self.code, self.model, self.output_data):
            os.makedirs(folder, exist_ok=True)

    def read(self, name, default):
        path = os.path.join(self.config, name)
        try:
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
        except FileNotFoundError:
            return default
        except ValueError as error:
            raise ClientError(f"{path} is not JSON: {error}") from None
        if not isinstance(found, dict):
            raise ClientError(f"{path} must hold a JSON object")
        return found

    def raw_hyperparameters(self):
        """Names and values as the request had them: strings."""
        return self.read("hyperparameters.json", {})

    def channels(self):
        return self.read("inputdataconfig.json", {})

    def resources(self):
        group = {"instance_group_name": GROUP, "instance_type": "local", "hosts": [HOST]}
        default = {
            "current_host": HOST,
            "current_instance_type": "local",
            "current_group_name": GROUP,
            "hosts": [HOST],
            "instance_groups": [group],
            "network_interface_name": "eth0",
        }
        return {**default, **self.read("resourceconfig.json", {})}


def decode(values):
    """Hyperparameters as the toolkit decodes them, once: JSON, else the text itself, so that `roc_auc` works too."""
    decoded = {}
    for name, value in values.items():
        try:
            decoded[name] = json.loads(value)
        except (ValueError, TypeError, RecursionError):
            decoded[name] = value
    return decoded
