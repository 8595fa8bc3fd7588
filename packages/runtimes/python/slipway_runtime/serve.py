"""What `docker run <image> serve` does, without HTTP: a worker asks, this answers with a status, a type and a body.

Source: api reference 6.4 to 6.6; multi-model-server's codes for load (409, 507), unload and invoke (404). Models are
loaded in this process, so pickles and the user's code run here and nowhere else; nothing that they raise ends it.
"""

import os
import tempfile
import traceback

from slipway_runtime import boosters, layers, limits, source_code
from slipway_runtime.handlers import TEXT, AlgorithmHandler, Answer
from slipway_runtime.script_handler import ScriptHandler, explain

DEFAULT_PROGRAM = "inference.py"
OPT_ML_CODE = "/opt/ml/model/code"
LARGEST_BODY_BYTES = 6 * 1024 * 1024


class ModelServer:
    """`model_folder` is the one model's folder; None makes it a multi-model server, which starts with no model."""

    def __init__(self, framework, version, environ, model_folder=None):
        self.framework, self.version, self.environ = framework, version, dict(environ)
        self.model_folder = model_folder
        self.is_multi_model = model_folder is None
        self.models = {}
        self.only = None
        self.why_not = None
        self.fetched = None

    def ping(self):
        """Ready to predict: the one model is loaded, or models can be."""
        return self.is_multi_model or self.load_only() is not None

    def execution_parameters(self):
        """What batch transform asks for before it starts."""
        largest = int(self.environ.get("MAX_CONTENT_LENGTH", LARGEST_BODY_BYTES)) // 1024**2
        return {
            "MaxConcurrentTransforms": limits.processors(),
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": largest,
        }

    def load(self, name, folder):
        """(200, …), (409, …) already loaded, (500, …) cannot be loaded, (507, …) no memory."""
        if name in self.models:
            return 409, f"Model {name} is already registered."
        try:
            self.models[name] = self.handler(folder)
        except MemoryError:
            return 507, f"System out of resource: no memory to load model {name}"
        except BaseException as error:
            return 500, f"Unable to load model: {self.explain_load(error, folder)}"
        return 200, f"Model {name} loaded"

    def unload(self, name):
        if self.models.pop(name, None) is None:
            return 404, f"Model not found: {name}"
        return 200, f"Model {name} unregistered"

    def invoke(self, name, body, content_type, accept, headers):
        """(status, content type, body). `name` is None on a single-model server."""
        handler = self.models.get(name) if self.is_multi_model else self.load_only()
        if handler is None and self.is_multi_model:
            return 404, TEXT, f"Model not found: {name}".encode()
        if handler is None:
            return 500, TEXT, f"Unable to load model: {self.why_not}".encode()
        if len(body) == 0 and isinstance(handler, AlgorithmHandler):
            return 204, TEXT, b""
        try:
            return handler.invoke(body, content_type or "", accept or "", headers or {})
        except Answer as answer:
            return answer.as_response()
        except MemoryError:
            return 507, TEXT, b"System out of resource: no memory to predict"
        except Exception as error:
            traceback.print_exc()
            return 500, TEXT, f"{type(error).__name__}: {error}".encode()

    def load_only(self):
        if self.only is None and self.why_not is None:
            try:
                self.only = self.handler(self.model_folder)
            except BaseException as error:
                self.why_not = self.explain_load(error, self.model_folder)
                print(f"Unable to load model: {self.why_not}", flush=True)
        return self.only

    def explain_load(self, error, folder):
        if isinstance(error, (boosters.CannotLoad, source_code.ClientError)):
            return str(error)
        traceback.print_exception(error)
        return explain(error, self.fetched or os.path.join(folder, "code"))

    def handler(self, folder):
        """A script when the image would take one, else the algorithm's own server."""
        program = self.environ.get("SAGEMAKER_PROGRAM")
        if self.framework == "xgboost" and not program:
            return AlgorithmHandler(folder, self.version, self.environ, self.is_multi_model)
        code, program = self.code_folder(folder), program or DEFAULT_PROGRAM
        if not os.path.isfile(os.path.join(code, program)):
            raise source_code.ClientError(
                f"the model has no {program}: put it into the folder code of model.tar.gz, or name it and its code in "
                "SAGEMAKER_PROGRAM and SAGEMAKER_SUBMIT_DIRECTORY"
            )
        return ScriptHandler(self.framework, folder, code, program, self.environ, self.is_multi_model)

    def code_folder(self, folder):
        """SAGEMAKER_SUBMIT_DIRECTORY, fetched once when it lies on S3; by default the folder `code` of the model."""
        submit = self.environ.get("SAGEMAKER_SUBMIT_DIRECTORY")
        own = os.path.join(folder, "code")
        if not submit or submit.rstrip("/") == OPT_ML_CODE:
            return own
        if os.path.isdir(submit):
            return submit
        if not (submit.startswith("s3://") or os.path.isfile(submit)):
            return own
        if self.fetched is None:
            fetched = os.path.join(tempfile.mkdtemp(prefix="code-"), "code")
            source_code.fetch(submit, fetched)
            self.install(fetched)
            self.fetched = fetched
        return self.fetched

    @staticmethod
    def install(code):
        """A requirements.txt beside code from S3. What this process has imported already stays as it is."""
        try:
            replaced = layers.install_for(code)
        except layers.LayerFailed as failure:
            raise source_code.ClientError(str(failure)) from None
        if replaced:
            print(f"WARNING: {', '.join(replaced)} are loaded already, in the environment's own versions", flush=True)
