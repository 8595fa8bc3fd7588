"""The XGBoost container's own server: what it answers to each payload, for one model and for one of many.

Source: sagemaker-xgboost-container, algorithm_mode/serve.py (one model) and handler_service.py (multi-model). The two
print CSV differently and refuse an Accept differently; both are kept, because clients parse them.
"""

import re

import xgboost

from slipway_runtime import boosters, data, decoders, encoders, selected_output
from slipway_runtime.failures import ClientError

TEXT = "text/plain"
ACCEPTS = [encoders.JSON, encoders.JSONLINES, encoders.RECORDIO, encoders.CSV]
# From this image on, CSV has one value a line and Accept is looked at.
FIRST_WITH_ACCEPT = (1, 2, 2)
# From this image on, indices of a libsvm payload that start at 1 are counted from 1.
FIRST_WITH_SHIFT = (3, 0, 0)


class Answer(Exception):
    """Ends a request early with a status and a sentence."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status

    def as_response(self):
        return self.status, TEXT, str(self).encode()


def version_of(tag):
    """Worked example: "1.7-1" is (1, 7, 1); a tag without numbers is the newest."""
    numbers = [int(number) for number in re.findall(r"\d+", (tag or "").split("-cpu")[0])[:3]]
    return tuple((numbers + [0, 0, 0])[:3]) if numbers else (99, 0, 0)


class AlgorithmHandler:
    """Serves the boosters of one folder."""

    def __init__(self, folder, version, environ, is_multi_model):
        ensemble = environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true").lower() == "true"
        self.model = boosters.load(folder, ensemble)
        self.version = version_of(version)
        self.is_multi_model = is_multi_model
        self.keys = None if is_multi_model else selected_output.wanted_keys(environ)
        self.is_batch = bool(environ.get("SAGEMAKER_BATCH"))
        self.default_accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or encoders.CSV

    def invoke(self, body, content_type, accept, _headers):
        """Raises Answer, and MemoryError."""
        matrix, kind = self.parse(body, content_type)
        try:
            predictions = self.model.predict(matrix, kind)
        except (xgboost.core.XGBoostError, ValueError) as error:
            message = boosters.first_sentence(str(error))
            raise Answer(400, f"Unable to evaluate payload provided: {message}") from None
        if self.is_multi_model:
            return self.print_one_of_many(predictions, accept)
        return self.print_single(predictions, accept)

    def parse(self, body, content_type):
        try:
            kind = data.content_type(content_type)
        except ClientError as error:
            raise Answer(415, str(error)) from None
        if kind not in (data.CSV, data.LIBSVM):
            also = " by Slipway yet" if kind == data.RECORDIO else ""
            raise Answer(415, f"Content-type {content_type} is not supported{also}.")
        try:
            text = bytes(body).strip().decode("utf-8")
            return (decoders.csv_matrix(text) if kind == data.CSV else self.parse_libsvm(text)), kind
        except (ValueError, xgboost.core.XGBoostError) as error:
            raise Answer(
                415,
                f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:\n {type(error)}\n "
                f"{boosters.first_sentence(str(error))}",
            ) from None

    def parse_libsvm(self, text):
        rows = decoders.parse_libsvm(text.split("\n"), labelled=False)
        return decoders.libsvm_matrix([rows], self.version >= FIRST_WITH_SHIFT, self.model.features)

    def print_single(self, predictions, accept):
        if self.version < FIRST_WITH_ACCEPT:
            kind = encoders.CSV
        else:
            kind = self.accepted(accept)
        values = predictions.tolist()
        if self.keys is not None:
            return self.print_selected(predictions, kind)
        if self.is_batch:
            return 200, kind, encoders.joined(values, "\n") + b"\n"
        if self.version < FIRST_WITH_ACCEPT:
            return 200, kind, encoders.joined(values, ",")
        if kind == encoders.JSON:
            return 200, kind, encoders.predictions_json(values)
        if kind == encoders.JSONLINES:
            return 200, kind, encoders.json_lines({"score": value} for value in values)
        return 200, kind, encoders.csv_lines(values)

    def accepted(self, accept):
        kind = decoders.media_type(accept)
        if kind in ("", "*/*"):
            kind = decoders.media_type(self.default_accept)
        if kind not in ACCEPTS:
            raise Answer(406, f"Accept type {accept} is not supported. Please use supported accept types: {ACCEPTS}.")
        if kind == encoders.RECORDIO:
            raise Answer(406, f"Accept type {kind} is not supported by Slipway yet. Please use one of {ACCEPTS}.")
        return kind

    def print_selected(self, predictions, kind):
        try:
            answers = selected_output.select(predictions, self.keys, self.model.objective, self.model.class_count)
            return 200, kind, selected_output.encode(answers, self.keys, kind, self.is_batch)
        except ValueError as error:
            raise Answer(500, str(error)) from None

    def print_one_of_many(self, predictions, accept):
        """CSV on one line, joined by commas: no CSV, but what the multi-model handler has always answered."""
        kind = decoders.media_type(accept)
        if kind in ("", "*/*"):
            kind = decoders.media_type(self.default_accept)
        values = predictions.tolist()
        if kind in (encoders.CSV, "csv"):
            return (
                200,
                encoders.CSV,
                encoders.joined(values, "\n") + b"\n" if self.is_batch else encoders.joined(values, ","),
            )
        if kind in (encoders.JSON, "json"):
            return 200, encoders.JSON, encoders.encode(values, encoders.JSON)
        raise Answer(
            415,
            f"Encoding to accept type {accept} failed with exception: {accept} is not an accepted Accept type. Please "
            f"choose one of the following: ['{encoders.CSV}', '{encoders.JSON}'].",
        )
