"""The built-in XGBoost algorithm on the real library: channels and hyperparameters in, `xgboost-model` out.

Source: sagemaker-xgboost-container, algorithm_mode/train.py. What the model file is depends on the image's tag: 1.0-1,
1.2-1 and 1.2-2 write a pickle (protocol 4) of the Booster, later ones the library's own format. Today's library writes
UBJSON to a name without an extension and loads it again from that name.
"""

import os
import pickle
import re
import signal
import sys

import numpy as np
import xgboost

from slipway_runtime import data, limits, metrics, xgboost_hyperparameters
from slipway_runtime.boosters import first_sentence
from slipway_runtime.failures import AlgorithmError, ClientError

MODEL_NAME = "xgboost-model"
PICKLE_PROTOCOL = 4
FIRST_NATIVE_VERSION = (1, 3)
# Ours, or the container's, not the library's.
NOT_FOR_THE_LIBRARY = (
    "num_round", "csv_weights", "early_stopping_rounds", "eval_metric", "save_model_on_termination",
    "_tuning_objective_metric", "use_dask_gpu_training", "predictor", "sketch_eps", "dsplit",
    "deterministic_histogram", "single_precision_histogram", "prob_buffer_row",
)  # fmt: skip
# What the library says of labels and parameters that only the user can put right.
USERS_ERRORS = (
    "label must be", "Label contains", "feature_names mismatch", "must be in (0,1)", "must be nonnegative",
    "should be greater equal to 0", "only contains pos or neg", "Unknown tree updater", "Unknown objective",
    "constraint", "Invalid Parameter", "value 0 for Parameter", "exceed bound", "labels must be",
)  # fmt: skip


def train(folder, raw, version):
    """Trains on the job's channels. Raises ClientError or AlgorithmError."""
    given = {name: value for name, value in raw.items() if not name.startswith("sagemaker_")}
    settings = xgboost_hyperparameters.validate(given)
    training, validation = read(folder, settings)
    check_labels(training, settings.get("objective"))
    print(f"Train matrix has {training.num_row()} rows and {training.num_col()} columns", flush=True)
    watched = [(training, "train")]
    if validation is not None:
        print(f"Validation matrix has {validation.num_row()} rows", flush=True)
        watched.append((validation, "validation"))
    save = Saver(folder.model, version)
    booster = boost(settings, training, watched, callbacks_for(settings, validation, save))
    save.write(booster)


def read(folder, settings):
    channels = folder.channels()
    if "train" not in channels:
        raise ClientError("Missing required channel: train")
    for name, channel in channels.items():
        if name not in ("train", "validation", "code"):
            raise ClientError(f"Extraneous channel found: {name}")
        if channel.get("TrainingInputMode", "File") == "Pipe":
            raise ClientError(f"Channel {name}: Pipe mode is not supported by Slipway's algorithms yet: use File")
    if folder.read("checkpointconfig.json", {}).get("LocalPath"):
        print("WARNING: checkpoints are not written by the built-in algorithm yet", file=sys.stderr, flush=True)
    kind = data.content_type(channels["train"].get("ContentType"))
    weights = settings.get("csv_weights", 0) == 1
    training = data.read_channel("train", folder.channel("train"), kind, weights)
    if "validation" not in channels:
        return training, None
    kind = data.content_type(channels["validation"].get("ContentType") or channels["train"].get("ContentType"))
    validation = data.read_channel("validation", folder.channel("validation"), kind, weights)
    if kind == data.CSV and validation.num_col() != training.num_col():
        raise ClientError(
            f"feature_names mismatch: channel train has {training.num_col()} features, "
            f"validation {validation.num_col()}"
        )
    return training, validation


def check_labels(training, objective):
    if not (objective or "").startswith(("binary:", "multi:")):
        return
    labels = np.unique(training.get_label())
    if len(labels) == 1:
        raise ClientError(
            f"The train channel has one class only (every label is {labels[0]:g}); {objective} needs at least two"
        )
    if objective.startswith("binary:") and objective != "binary:hinge" and (labels[0] < 0 or labels[-1] > 1):
        raise ClientError(
            f"label must be in [0,1] for logistic regression; the train channel has labels from {labels[0]:g} to "
            f"{labels[-1]:g}. The label is the first column"
        )


def boost(settings, training, watched, callbacks):
    parameters = {name: value for name, value in settings.items() if name not in NOT_FOR_THE_LIBRARY}
    parameters.setdefault("seed", 0)
    parameters.setdefault("nthread", limits.processors())
    if "updater" in parameters:
        parameters["updater"] = ",".join(parameters["updater"])
    if parameters.get("objective") == "reg:linear":
        print("WARNING: reg:linear is now deprecated in favor of reg:squarederror.", file=sys.stderr, flush=True)
        parameters["objective"] = "reg:squarederror"
    own, added = metrics.split(metric_names(settings))
    if own:
        parameters["eval_metric"] = own
    elif added:
        parameters["disable_default_eval_metric"] = 1
    try:
        return xgboost.train(
            parameters,
            training,
            num_boost_round=settings["num_round"],
            evals=watched,
            custom_metric=metrics.added_metrics(added, parameters.get("objective", "reg:squarederror")),
            callbacks=callbacks,
            verbose_eval=False,
        )
    except (xgboost.core.XGBoostError, ValueError) as error:
        message = first_sentence(str(error))
        kind = ClientError if any(words in str(error) for words in USERS_ERRORS) else AlgorithmError
        raise kind(f"XGB train call failed with exception:\n {message}") from None


def metric_names(settings):
    """The tuning job's metric is computed as well. Joined names are sorted, as the container does."""
    wanted = settings.get("eval_metric", [])
    tuned = settings.get("_tuning_objective_metric")
    if tuned is None:
        return wanted
    return sorted({*wanted, tuned.partition(":")[2]})


def callbacks_for(settings, validation, save):
    callbacks = [metrics.RoundPrinter()]
    rounds = settings.get("early_stopping_rounds")
    if rounds is not None and validation is None:
        print("WARNING: early_stopping_rounds needs a validation channel and is ignored", file=sys.stderr, flush=True)
    elif rounds is not None:
        tuned = settings.get("_tuning_objective_metric", "").partition(":")[2]
        metric = tuned or next(reversed(settings.get("eval_metric", [])), None)
        maximise = metrics.is_maximised(metric) if metric else None
        stopping = xgboost.callback.EarlyStopping(
            rounds=rounds,
            metric_name=metric,
            data_name="validation",
            maximize=maximise,
            save_best=settings.get("booster") != "gblinear",  # A linear model cannot be cut back.
        )
        callbacks.append(stopping)
    if settings.get("save_model_on_termination") == "true":
        callbacks.append(SaveOnTermination(save))
    return callbacks


class Saver:
    def __init__(self, folder, version):
        self.folder = folder
        self.pickles = writes_pickles(version)

    def write(self, booster):
        """Writes the artifact under its final name by rename, so that a job which is stopped leaves a whole one."""
        os.makedirs(self.folder, exist_ok=True)
        path = os.path.join(self.folder, MODEL_NAME)
        partial = os.path.join(self.folder, "." + MODEL_NAME)
        content = pickle.dumps(booster, protocol=PICKLE_PROTOCOL) if self.pickles else booster.save_raw("ubj")
        try:
            with open(partial, "wb") as file:
                file.write(content)
            os.replace(partial, path)
        except OSError as error:
            if os.path.exists(partial):
                os.unlink(partial)
            raise AlgorithmError(f"the model could not be written: {error}") from None


def writes_pickles(version):
    """True for 1.0-1, 1.2-1 and 1.2-2."""
    found = re.match(r"(\d+)\.(\d+)", version or "")
    return found is not None and (int(found[1]), int(found[2])) < FIRST_NATIVE_VERSION


class SaveOnTermination(xgboost.callback.TrainingCallback):
    """On SIGTERM the model of the last whole round becomes the artifact and the job ends well."""

    def __init__(self, save):
        super().__init__()
        self.save, self.asked = save, False

    def before_training(self, model):
        signal.signal(signal.SIGTERM, self.ask)
        return model

    def ask(self, *_):
        self.asked = True

    def after_iteration(self, model, epoch, evals_log):
        return self.asked
