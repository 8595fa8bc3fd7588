"""Serves a model by the user's own functions; what the script leaves out comes from the container.

Source: sagemaker-inference-toolkit, transformer.py: model_fn, then transform_fn alone, or input_fn, predict_fn and
output_fn. A function that takes one argument more gets the request's context. The defaults are those of
sagemaker-scikit-learn-container and of sagemaker-xgboost-container.
"""

import importlib.util
import inspect
import os
import sys
import traceback
from types import SimpleNamespace

import numpy as np
import xgboost

from slipway_runtime import decoders, encoders
from slipway_runtime.handlers import Answer

TEXT_TYPES = ("application/json", "text/csv")
FUNCTIONS = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")
LONGEST_MESSAGE = 1000


class ScriptHandler:
    def __init__(self, framework, folder, code, program, environ, is_multi_model):
        self.framework, self.folder, self.code = framework, folder, code
        self.default_accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or encoders.JSON
        self.modules = OwnModules(code, is_multi_model)
        with self.modules:
            self.functions = self.read_functions(os.path.join(code, program))
            model_fn = self.functions.get("model_fn")
            if model_fn is None:
                raise NotImplementedError(f"Please provide a model_fn implementation: {program} has none.")
            self.model = self.call(model_fn, self.folder)

    def read_functions(self, path):
        spec = importlib.util.spec_from_file_location(os.path.basename(path).removesuffix(".py"), path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        found = {name: getattr(module, name) for name in FUNCTIONS if hasattr(module, name)}
        if "transform_fn" in found and found.keys() & {"input_fn", "predict_fn", "output_fn"}:
            raise ValueError("Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn")
        return found

    def invoke(self, body, content_type, accept, headers):
        """Raises Answer, and MemoryError. Whatever else the user's code raises is status 500 and in the log."""
        if decoders.media_type(accept) in ("", "*/*"):
            accept = self.default_accept
        context = self.context(content_type, accept, headers)
        try:
            with self.modules:
                data = bytes(body).decode("utf-8") if decoders.media_type(content_type) in TEXT_TYPES else bytes(body)
                return as_response(self.transform(data, content_type, accept, context), accept)
        except (MemoryError, Answer):
            raise
        except decoders.UnsupportedFormat as error:
            raise Answer(415, str(error)) from None
        except BaseException as error:
            traceback.print_exc()
            raise Answer(500, explain(error, self.code)) from None

    def transform(self, data, content_type, accept, context):
        given = self.functions
        if "transform_fn" in given:
            return self.call(given["transform_fn"], self.model, data, content_type, accept, context=context)
        parsed = self.call(given.get("input_fn", self.input_fn), data, content_type, context=context)
        prediction = self.call(given.get("predict_fn", self.predict_fn), parsed, self.model, context=context)
        return self.call(given.get("output_fn", encoders.encode), prediction, accept, context=context)

    @staticmethod
    def call(function, *arguments, context=None):
        try:
            count = len(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            count = len(arguments)
        return function(*arguments, context) if count == len(arguments) + 1 else function(*arguments)

    def input_fn(self, data, content_type):
        kind = decoders.media_type(content_type)
        if self.framework == "xgboost":
            return self.xgboost_input(data, kind, content_type)
        found = decoders.array_of(data, content_type)
        if found.ndim == 1:
            found = found.reshape(1, -1)
        return found.astype(np.float32) if kind in TEXT_TYPES else found

    @staticmethod
    def xgboost_input(data, kind, content_type):
        if kind == "text/csv":
            return decoders.csv_matrix(data.strip())
        if kind in ("text/libsvm", "text/x-libsvm"):
            lines = data.decode("utf-8").strip().split("\n")
            return decoders.libsvm_matrix([decoders.parse_libsvm(lines, labelled=False)])
        raise decoders.UnsupportedFormat(
            f"Content type {content_type} is not supported by this framework: implement input_fn."
        )

    def predict_fn(self, data, model):
        if isinstance(model, xgboost.Booster):
            return model.predict(data, validate_features=False)
        return model.predict(data)

    def context(self, content_type, accept, headers):
        known = {"content-type": content_type, "accept": accept, **{name.lower(): headers[name] for name in headers}}
        return SimpleNamespace(
            system_properties={"model_dir": self.folder, "gpu_id": None},
            get_request_header=lambda _index, name: known.get(name.lower()),
            get_all_request_header=lambda _index: dict(known),
        )


def as_response(result, accept):
    """What output_fn or transform_fn returned: a body, (body, type), or an object with `response` and `mimetype`."""
    if isinstance(result, tuple) and len(result) == 2:
        result, accept = result
    elif hasattr(result, "mimetype") and hasattr(result, "response"):
        result, accept = result.response, result.mimetype
    if isinstance(result, (bytes, bytearray, memoryview)):
        return 200, str(accept), bytes(result)
    if result is None:
        return 200, str(accept), b""
    if isinstance(result, str):
        return 200, str(accept), result.encode("utf-8")
    return 200, str(accept), encoders.encode(result, encoders.JSON)


def explain(error, code):
    """`ValueError: bad row (inference.py, line 12)`: the last line of the user's own code that took part."""
    root = os.path.realpath(code) + os.sep
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if os.path.realpath(frame.filename).startswith(root)
    ]
    where = (
        f" ({os.path.relpath(os.path.realpath(frames[-1].filename), root)}, line {frames[-1].lineno})" if frames else ""
    )
    return f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE] + where


class OwnModules:
    """The modules of one model's code folder, visible only while that model's code runs.

    A model server of SageMaker has a process for each model. Here one process has many models, and two of them may each
    bring an `inference.py` and a `features.py`.
    """

    def __init__(self, code, is_multi_model):
        self.code, self.is_multi_model, self.own = os.path.realpath(code), is_multi_model, {}

    def __enter__(self):
        if self.code not in sys.path:
            sys.path.insert(0, self.code)
        if self.is_multi_model:
            sys.modules.update(self.own)
            self.before = set(sys.modules) - self.own.keys()

    def __exit__(self, *_):
        if not self.is_multi_model:
            return
        if self.code in sys.path:
            sys.path.remove(self.code)
        for name in set(sys.modules) - self.before:
            where = getattr(sys.modules[name], "__file__", None) or ""
            if name in self.own or os.path.realpath(where).startswith(self.code + os.sep):
                self.own[name] = sys.modules.pop(name)
