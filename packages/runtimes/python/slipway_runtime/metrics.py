"""The metrics of the built-in XGBoost algorithm: the library's, the container's own, and how rounds are printed.

Source of the names and of what the container adds: sagemaker-xgboost-container, constants/xgb_constants.py and
metrics/custom_metrics.py.
"""

import sys

import numpy as np
import xgboost

MAXIMISED = [
    "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision", "r2",
    "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro",
]  # fmt: skip
MINIMISED = [
    "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy",
    "logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle",
    "tweedie-nloglik",
]  # fmt: skip
NAMES = MAXIMISED + MINIMISED
WITH_THRESHOLD = ("error", "ndcg", "map", "tweedie-nloglik")
# What scikit-learn computes from labels: the function's name, and how it averages over classes.
OF_CLASSES = {
    "accuracy": ("accuracy_score", None), "balanced_accuracy": ("balanced_accuracy_score", None),
    "f1": ("f1_score", "macro"), "f1_binary": ("f1_score", "binary"), "f1_macro": ("f1_score", "macro"),
    "precision": ("precision_score", "binary"), "precision_macro": ("precision_score", "macro"),
    "precision_micro": ("precision_score", "micro"), "recall": ("recall_score", "binary"),
    "recall_macro": ("recall_score", "macro"), "recall_micro": ("recall_score", "micro"),
}  # fmt: skip
OF_NUMBERS = {"mse": "mean_squared_error", "r2": "r2_score"}


def is_metric(name):
    """A known name, or one with a threshold such as `error@0.7` and `ndcg@10`."""
    metric, at, threshold = name.partition("@")
    if not at:
        return name in NAMES
    try:
        float(threshold.rstrip("-"))
    except ValueError:
        return False
    return metric.strip() in WITH_THRESHOLD


def is_maximised(name):
    return name.partition("@")[0] in MAXIMISED


def split(names):
    """The library's own metrics, and those added by the container, in the user's order."""
    added = [name for name in names if name in OF_CLASSES or name in OF_NUMBERS]
    return [name for name in names if name not in added], added


def added_metrics(names, objective):
    """One function for `xgboost.train(custom_metric=…)` that computes all of `names`, or None."""
    if not names:
        return None

    def evaluate(predictions, matrix):
        labels = matrix.get_label()
        return [(name, float(compute(name, labels, predictions, objective))) for name in names]

    return evaluate


def compute(name, labels, predictions, objective):
    import sklearn.metrics

    if name in OF_NUMBERS:
        return getattr(sklearn.metrics, OF_NUMBERS[name])(labels, predictions)
    function, average = OF_CLASSES[name]
    options = {} if average is None else {"average": average, "zero_division": 0}
    return getattr(sklearn.metrics, function)(labels, classes(predictions, objective), **options)


def classes(predictions, objective):
    """Predicted classes. The library hands over transformed predictions: probabilities, or classes already."""
    if objective == "multi:softmax":
        return predictions
    if predictions.ndim == 2:
        return np.argmax(predictions, axis=1)
    threshold = 0.0 if objective == "binary:logitraw" else 0.5
    return (predictions > threshold).astype(int)


class RoundPrinter(xgboost.callback.TrainingCallback):
    """Prints `[0]<tab>train-rmse:0.50000<tab>validation-rmse:0.60000` for every round, whatever the verbosity."""

    def after_iteration(self, model, epoch, evals_log):
        words = [
            f"{data}-{metric}:{self.number(log[-1])}"
            for data, logs in evals_log.items()
            for metric, log in logs.items()
        ]
        print("\t".join([f"[{epoch}]", *words]), file=sys.stdout, flush=True)
        return False

    @staticmethod
    def number(score):
        return f"{score[0] if isinstance(score, tuple) else score:.5f}"
