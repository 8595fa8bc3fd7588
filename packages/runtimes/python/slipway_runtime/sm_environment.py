"""The SM_* variables and the arguments that a user's program gets from the training toolkit.

Source: sagemaker-training-toolkit, environment.py and mapping.py. Text stays as it is, None is "", everything else is
JSON with sorted keys and no spaces.
"""

import json
import logging
import os

from slipway_runtime import limits
from slipway_runtime.training_folder import GROUP

PREFIX = "sagemaker_"
# What the toolkit itself knows; other sagemaker_* hyperparameters go to SM_FRAMEWORK_PARAMS.
TOOLKIT_NAMES = (
    "sagemaker_program",
    "sagemaker_submit_directory",
    "sagemaker_enable_cloudwatch_metrics",
    "sagemaker_container_log_level",
    "sagemaker_job_name",
    "sagemaker_region",
    "sagemaker_default_invocations_accept",
    "sagemaker_s3_output",
)


def own_hyperparameters(hyperparameters):
    return {name: value for name, value in hyperparameters.items() if not name.startswith(PREFIX)}


def arguments(hyperparameters):
    """`--k v` sorted by name, `-k v` for one letter; booleans are True and False, None is empty.

    Worked example: {"b": True, "max_depth": 3} gives ["-b", "True", "--max_depth", "3"].
    """
    words = []
    for name in sorted(hyperparameters):
        value = hyperparameters[name]
        if isinstance(value, dict):
            value = ",".join(f"{key}={value[key]}" for key in sorted(value))
        words += [f"--{name}" if len(name) > 1 else f"-{name}", "" if value is None else str(value)]
    return words


def text_of(value):
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def variables(folder, hyperparameters, program, submit_directory, framework):
    """All SM_* variables. `hyperparameters` are decoded and complete, `folder` is the job's TrainingFolder."""
    own = own_hyperparameters(hyperparameters)
    resources, channels = folder.resources(), folder.channels()
    inputs = {name: folder.channel(name) for name in channels}
    groups = resources.get("instance_groups", [])
    group = resources.get("current_group_name", GROUP)
    group_hosts = next((each["hosts"] for each in groups if each["instance_group_name"] == group), resources["hosts"])
    framework_parameters = {
        name: value for name, value in hyperparameters.items() if name.startswith(PREFIX) and name not in TOOLKIT_NAMES
    }
    training = {
        "additional_framework_parameters": framework_parameters,
        "channel_input_dirs": inputs,
        "current_host": resources["current_host"],
        "current_instance_group": group,
        "current_instance_group_hosts": group_hosts,
        "current_instance_type": resources.get("current_instance_type", "local"),
        "distribution_hosts": [],
        "distribution_instance_groups": [],
        "framework_module": f"sagemaker_{framework}_container.training:main",
        "hosts": resources["hosts"],
        "hyperparameters": own,
        "input_config_dir": folder.config,
        "input_data_config": channels,
        "input_dir": folder.input,
        "instance_groups": [each["instance_group_name"] for each in groups],
        "instance_groups_dict": {each["instance_group_name"]: each for each in groups},
        "is_hetero": len(groups) > 1,
        "is_master": resources["current_host"] == resources["hosts"][0],
        "is_modelparallel_enabled": None,
        "is_smddpmprun_installed": False,
        "is_smddprun_installed": False,
        "job_name": os.environ.get("TRAINING_JOB_NAME") or hyperparameters.get("sagemaker_job_name"),
        "log_level": hyperparameters.get("sagemaker_container_log_level", logging.INFO),
        "master_hostname": resources["hosts"][0],
        "model_dir": folder.model,
        "module_dir": submit_directory or folder.code,
        "module_name": program.removesuffix(".py"),
        "network_interface_name": resources.get("network_interface_name", "eth0"),
        "num_cpus": limits.processors(),
        "num_gpus": 0,
        "num_neurons": 0,
        "output_data_dir": folder.output_data,
        "output_dir": folder.output,
        "output_intermediate_dir": folder.intermediate,
        "resource_config": resources,
        "user_entry_point": program,
    }
    found = {name: training[source] for name, source in NAMES.items()}
    found["SM_CHANNELS"] = sorted(channels)
    found["SM_TRAINING_ENV"] = training
    found["SM_USER_ARGS"] = arguments(own)
    found.update({f"SM_CHANNEL_{name.upper()}": path for name, path in inputs.items()})
    found.update({f"SM_HP_{name.upper()}": value for name, value in own.items()})
    return {name: text_of(value) for name, value in found.items()}


NAMES = {
    "SM_HOSTS": "hosts",
    "SM_NETWORK_INTERFACE_NAME": "network_interface_name",
    "SM_HPS": "hyperparameters",
    "SM_USER_ENTRY_POINT": "user_entry_point",
    "SM_FRAMEWORK_PARAMS": "additional_framework_parameters",
    "SM_RESOURCE_CONFIG": "resource_config",
    "SM_INPUT_DATA_CONFIG": "input_data_config",
    "SM_OUTPUT_DATA_DIR": "output_data_dir",
    "SM_CURRENT_HOST": "current_host",
    "SM_CURRENT_INSTANCE_TYPE": "current_instance_type",
    "SM_CURRENT_INSTANCE_GROUP": "current_instance_group",
    "SM_CURRENT_INSTANCE_GROUP_HOSTS": "current_instance_group_hosts",
    "SM_INSTANCE_GROUPS": "instance_groups",
    "SM_INSTANCE_GROUPS_DICT": "instance_groups_dict",
    "SM_DISTRIBUTION_INSTANCE_GROUPS": "distribution_instance_groups",
    "SM_IS_HETERO": "is_hetero",
    "SM_MODULE_NAME": "module_name",
    "SM_LOG_LEVEL": "log_level",
    "SM_FRAMEWORK_MODULE": "framework_module",
    "SM_INPUT_DIR": "input_dir",
    "SM_INPUT_CONFIG_DIR": "input_config_dir",
    "SM_OUTPUT_DIR": "output_dir",
    "SM_NUM_CPUS": "num_cpus",
    "SM_NUM_GPUS": "num_gpus",
    "SM_NUM_NEURONS": "num_neurons",
    "SM_MODEL_DIR": "model_dir",
    "SM_MODULE_DIR": "module_dir",
    "SM_OUTPUT_INTERMEDIATE_DIR": "output_intermediate_dir",
}
