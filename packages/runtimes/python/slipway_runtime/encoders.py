"""Predictions into answers.

Source: sagemaker-inference-toolkit, encoder.py; sagemaker-xgboost-container, algorithm_mode/serve.py and
serve_utils.py.
"""

import io
import json

import numpy as np

from slipway_runtime.decoders import UnsupportedFormat, media_type

CSV, JSON, JSONLINES, NPY = "text/csv", "application/json", "application/jsonlines", "application/x-npy"
RECORDIO = "application/x-recordio-protobuf"


def encode(value, accept):
    """An array, list or number as JSON, CSV or npy. Raises UnsupportedFormat."""
    kind = media_type(accept)
    if kind == JSON:
        return json.dumps(value, default=plain).encode()
    if kind == CSV:
        return csv_lines(value)
    if kind == NPY:
        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return buffer.getvalue()
    raise UnsupportedFormat(
        f"Content type {accept} is not supported by this framework: implement input_fn to deserialize the request data "
        "or an output_fn to serialize the response."
    )


def plain(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def csv_lines(value):
    """One row a line. Numbers are printed as the shortest text of their float64."""
    stream = io.StringIO()
    np.savetxt(stream, np.atleast_1d(value), delimiter=",", fmt="%s")
    return stream.getvalue().encode()


def joined(values, separator):
    """All predictions on one line (`,`) or a line each (`\\n`). A row of class probabilities is printed as a list."""
    return separator.join(map(str, values)).encode()


def predictions_json(values):
    return json.dumps({"predictions": [{"score": value} for value in values]}).encode()


def json_lines(entries):
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()
