"""Loads the models of a folder as the XGBoost container does, and predicts with them.

Source: sagemaker-xgboost-container, algorithm_mode/serve_utils.py. Every file whose name does not start with a dot is a
model; several are an ensemble. Pickles are read here, inside a worker, and nowhere else.
"""

import os
import pickle
import re

import numpy as np
import xgboost

PICKLED, NATIVE = "pkl_format", "xgb_format"
# Their predictions are classes, so an ensemble votes.
OF_CLASSES = ("multi:softmax", "binary:hinge")
LARGEST_MODEL_BYTES = 4 * 1024**3


class CannotLoad(Exception):
    """The folder holds no model that the library can load; the sentence says why."""


def first_sentence(text):
    """The library's message without its C++ stack and source place."""
    text = text.split("\nStack trace:")[0].strip()
    return re.sub(r"^\[\d\d:\d\d:\d\d\] \S+?:\d+: ", "", text)


class Boosters:
    """One model, or an ensemble of several."""

    def __init__(self, boosters, formats):
        self.all, self.format = boosters, formats[0]
        self.features = boosters[0].num_features()
        import json

        learner = json.loads(boosters[0].save_config())["learner"]
        self.objective = learner["objective"]["name"]
        self.class_count = int(learner["learner_model_param"].get("num_class", "0"))

    def predict(self, matrix, kind):
        """Predictions by row. `kind` is csv or libsvm. Raises ValueError or XGBoostError."""
        if self.format == PICKLED:
            self.check_width(matrix.num_col(), kind)
        found = [self.predict_one(booster, matrix) for booster in self.all]
        if len(found) == 1:
            return found[0]
        if self.objective in OF_CLASSES:
            return np.array([vote(column) for column in np.stack(found).T])
        return np.mean(found, axis=0)

    def check_width(self, width, kind):
        """The native format checks the width itself; for pickles the container does, with one column of slack."""
        if kind == "libsvm" and width > self.features + 1:
            raise ValueError(
                f"Feature size of libsvm inference data {width} is larger than feature size of trained model "
                f"{self.features}."
            )
        if kind != "libsvm" and self.features not in (width, width + 1):
            raise ValueError(
                f"Feature size of {kind} inference data {width} is not consistent with feature size of trained model "
                f"{self.features}."
            )

    @staticmethod
    def predict_one(booster, matrix):
        """Early stopping that kept later rounds still predicts with the best one, as the container does."""
        best = booster.attr("best_iteration")
        rounds = (0, int(best) + 1) if best is not None and best.isdigit() else (0, 0)
        return booster.predict(matrix, validate_features=False, iteration_range=rounds)


def vote(classes):
    """The most frequent class; of several the smallest."""
    values, counts = np.unique(classes, return_counts=True)
    return values[np.argmax(counts)]


def load(folder, ensemble=True):
    """Raises CannotLoad, or MemoryError."""
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise CannotLoad(f"the model folder cannot be read: {error.strerror}") from None
    paths = [path for path in (os.path.join(folder, name) for name in names) if os.path.isfile(path)]
    if not paths:
        raise CannotLoad("the model folder has no file")
    loaded = [load_file(path) for path in (paths if ensemble else paths[:1])]
    return Boosters([booster for booster, _ in loaded], [kind for _, kind in loaded])


def load_file(path):
    name = os.path.basename(path)
    size = os.path.getsize(path)
    if size > LARGEST_MODEL_BYTES:
        raise CannotLoad(f"Model {name} has {size} bytes, {LARGEST_MODEL_BYTES} are the most")
    with open(path, "rb") as file:
        content = file.read()
    # JSON and UBJSON begin with a brace, which no pickle does.
    why_no_pickle = "it is not a pickle"
    if not content.startswith(b"{"):
        try:
            booster = pickle.loads(content)
            return checked(booster, name), PICKLED
        except (MemoryError, CannotLoad):
            raise
        except BaseException as error:
            why_no_pickle = f"{type(error).__name__}: {error}"
    try:
        booster = xgboost.Booster({"nthread": 1}, model_file=bytearray(content))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise CannotLoad(f"Model {name} cannot be loaded:\n{why_no_pickle}\n{first_sentence(str(error))}") from None
    return checked(booster, name), NATIVE


def checked(booster, name):
    if not isinstance(booster, xgboost.Booster):
        raise CannotLoad(
            f"Model {name} cannot be loaded: it is a pickled {type(booster).__name__}, not an xgboost Booster. Save "
            "model.get_booster(), or give the model a script (SAGEMAKER_PROGRAM)"
        )
    booster.set_param({"nthread": 1})
    return booster
