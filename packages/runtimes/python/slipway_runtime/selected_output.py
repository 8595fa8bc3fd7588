"""SAGEMAKER_INFERENCE_OUTPUT: which parts of a prediction an answer has.

Source: sagemaker-xgboost-container, algorithm_mode/serve_utils.py. A key that does not fit the objective is nan.
"""

import json
import math

from slipway_runtime import encoders

REGRESSION = ("predicted_score",)
CLASSES = ("predicted_label", "labels", "raw_score", "raw_scores")
PROBABILITIES = ("probability", "probabilities")
KEYS_BY_OBJECTIVE = {
    "reg:squarederror": REGRESSION,
    "reg:logistic": REGRESSION,
    "reg:gamma": REGRESSION,
    "reg:tweedie": REGRESSION,
    "binary:logistic": CLASSES + PROBABILITIES,
    "binary:logitraw": CLASSES,
    "binary:hinge": CLASSES,
    "multi:softmax": CLASSES,
    "multi:softprob": CLASSES + PROBABILITIES,
}


def wanted_keys(environ):
    """The keys in their order, or None when the variable is not set."""
    given = environ.get("SAGEMAKER_INFERENCE_OUTPUT")
    return None if given is None else given.replace(" ", "").lower().split(",")


def select(predictions, keys, objective, class_count):
    """A dictionary for each prediction. Raises ValueError for an objective that has no such output."""
    if objective not in KEYS_BY_OBJECTIVE:
        raise ValueError(f"Objective `{objective}` unsupported for selectable inference predictions.")
    valid = KEYS_BY_OBJECTIVE[objective]
    labels = [0, 1] if objective.startswith("binary:") else list(range(class_count)) or math.nan
    answers = []
    for prediction in predictions:
        parts = {**parts_of(prediction, objective), "labels": labels}
        answers.append({key: parts[key] if key in valid else math.nan for key in keys})
    return answers


def parts_of(prediction, objective):
    """Worked example, binary:logistic 0.8: label 1, probability 0.8, probabilities and raw scores [0.2, 0.8]."""
    if objective == "multi:softprob":
        scores = prediction.tolist()
        best = max(scores)
        label = scores.index(best)
    else:
        best = prediction.item()
        scores = [1.0 - best, best]
        threshold = {"binary:logistic": 0.5, "binary:logitraw": 0}.get(objective)
        label = best if threshold is None else int(best > threshold)
    return {
        "predicted_label": label,
        "probability": best,
        "probabilities": scores,
        "raw_score": best,
        "raw_scores": scores,
        "predicted_score": best,
    }


def encode(answers, keys, accept, is_batch):
    """Raises ValueError for a type that these answers cannot be written as."""
    if accept == encoders.JSON:
        return json.dumps({"predictions": answers}).encode()
    if accept == encoders.JSONLINES:
        return encoders.json_lines(answers)
    if accept == encoders.CSV:
        lines = [",".join(cell(answer[key]) for key in keys) for answer in answers]
        return ("\n".join(lines) + ("\n" if is_batch else "")).encode()
    raise ValueError(f"Cannot encode selected predictions into accept type '{accept}'.")


def cell(value):
    return f'"{value}"' if isinstance(value, list) else str(value)
