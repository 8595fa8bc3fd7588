import io
import json
import os
import pickle
import shutil
import tempfile
import unittest

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import xgboost
from sklearn.linear_model import LinearRegression

from slipway_runtime.serve import ModelServer

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"
MODEL_FN = """
import os, pickle
def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.pkl"), "rb") as file:
        return pickle.load(file)
"""


class ScriptCase(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="slipway-script-")
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.linear = LinearRegression().fit([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [1.0, 3.0, 4.0])

    def folder(self, script, name="model", **files):
        folder = os.path.join(self.root, name)
        files = {"code/inference.py": script, "model.pkl": pickle.dumps(self.linear), **files}
        for path, content in files.items():
            path = os.path.join(folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        return folder

    def single(self, script, framework="sklearn", environ=None, **files):
        return ModelServer(framework, "1.2-1", environ or {}, self.folder(script, **files))

    def ask(self, server, body=b"1,1", content_type=CSV, accept="*/*", name=None):
        return server.invoke(name, body, content_type, accept, {"X-Amzn-SageMaker-Custom-Attributes": "a=1"})


class Defaults(ScriptCase):
    """What a script leaves out comes from the container."""

    def test_csv_in_and_json_out(self):
        server = self.single(MODEL_FN)
        self.assertTrue(server.ping())
        for body, expected in ((b"1,1", [6.0]), (b"1,1\n0,0", [6.0, 1.0])):
            status, kind, answer = self.ask(server, body)
            self.assertEqual((status, kind), (200, JSON))
            np.testing.assert_allclose(json.loads(answer), expected, rtol=1e-12)

    def test_json_and_npy_in_csv_and_npy_out(self):
        server, buffer = self.single(MODEL_FN), io.BytesIO()
        np.save(buffer, np.array([[1.0, 1.0]]))
        for body, kind in ((b"[[1, 1]]", JSON), (b"[1, 1]", JSON), (buffer.getvalue(), NPY)):
            self.assertAlmostEqual(float(self.ask(server, body, kind, CSV)[2]), 6.0)
        status, kind, answer = self.ask(server, accept=NPY)
        self.assertEqual((status, kind), (200, NPY))
        np.testing.assert_allclose(np.load(io.BytesIO(answer)), [6.0])

    def test_a_pickle_inside_npy_is_never_read(self):
        buffer = io.BytesIO()
        np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
        status, _, answer = self.ask(self.single(MODEL_FN), buffer.getvalue(), NPY)
        self.assertEqual(status, 500)
        self.assertIn(b"allow_pickle=False", answer)

    def test_unknown_types_are_415(self):
        server = self.single(MODEL_FN)
        self.assertEqual(self.ask(server, content_type="image/png")[0], 415)
        self.assertEqual(self.ask(server, accept="image/png")[0], 415)

    def test_an_xgboost_script_gets_a_matrix(self):
        booster = xgboost.train({"nthread": 1}, xgboost.DMatrix([[1.0, 2.0], [2.0, 3.0]], label=[0, 1]), 2)
        script = """
import os, xgboost
def model_fn(model_dir):
    return xgboost.Booster(model_file=os.path.join(model_dir, "model.ubj"))
"""
        server = self.single(
            script, "xgboost", {"SAGEMAKER_PROGRAM": "inference.py"}, **{"model.ubj": bytes(booster.save_raw("ubj"))}
        )
        expected = booster.predict(xgboost.DMatrix([[2.0, 3.0]])).tolist()
        self.assertEqual(json.loads(self.ask(server, b"2,3")[2]), expected)
        self.assertEqual(json.loads(self.ask(server, b"0:2 1:3", "text/libsvm")[2]), expected)


class OwnFunctions(ScriptCase):
    def test_all_four(self):
        script = (
            MODEL_FN
            + """
def input_fn(body, content_type):
    return [[float(cell) for cell in body.split("|")]]
def predict_fn(data, model):
    return model.predict(data) * 2
def output_fn(prediction, accept):
    return "<%.1f>" % prediction[0], "text/html"
"""
        )
        self.assertEqual(self.ask(self.single(script), b"1|1"), (200, "text/html", b"<12.0>"))

    def test_text_types_arrive_as_text(self):
        script = MODEL_FN + "def transform_fn(model, body, content_type, accept):\n    return type(body).__name__\n"
        server = self.single(script)
        self.assertEqual(self.ask(server)[2], b"str")
        self.assertEqual(self.ask(server, content_type="application/octet-stream")[2], b"bytes")

    def test_a_function_may_take_the_context(self):
        script = (
            MODEL_FN
            + """
def transform_fn(model, body, content_type, accept, context):
    return context.get_request_header(0, "X-Amzn-SageMaker-Custom-Attributes"), accept
"""
        )
        self.assertEqual(self.ask(self.single(script), accept=CSV), (200, CSV, b"a=1"))

    def test_transform_fn_excludes_the_others(self):
        script = MODEL_FN + "def transform_fn(m, b, c, a): pass\ndef input_fn(b, c): pass\n"
        server = self.single(script)
        self.assertFalse(server.ping())
        self.assertIn(b"Cannot use transform_fn implementation with input_fn", self.ask(server)[2])

    def test_a_program_in_another_folder(self):
        code = os.path.join(self.root, "elsewhere")
        os.makedirs(code)
        with open(os.path.join(code, "serve_it.py"), "w", encoding="utf-8") as file:
            file.write(MODEL_FN)
        environ = {"SAGEMAKER_PROGRAM": "serve_it.py", "SAGEMAKER_SUBMIT_DIRECTORY": code}
        server = self.single("raise RuntimeError('not this one')", environ=environ)
        self.assertEqual(self.ask(server)[0], 200)


class Failures(ScriptCase):
    def test_what_user_code_raises_is_500_with_its_type_and_place(self):
        kinds = {
            "raise KeyError('age')": b"KeyError: 'age' (inference.py, line 7)",
            "import sys; sys.exit(3)": b"SystemExit: 3 (inference.py, line 7)",
            "raise KeyboardInterrupt": b"KeyboardInterrupt:  (inference.py, line 7)",
        }
        for line, expected in kinds.items():
            with self.subTest(line):
                server = self.single(MODEL_FN + f"def predict_fn(data, model):\n    {line}\n")
                self.assertEqual(self.ask(server), (500, "text/plain", expected))
                self.assertEqual(self.ask(server), (500, "text/plain", expected))

    def test_no_memory_is_507(self):
        server = self.single(MODEL_FN + "def predict_fn(data, model):\n    return bytearray(2 ** 62)\n")
        self.assertEqual(self.ask(server)[0], 507)

    def test_a_script_without_model_fn_or_none_at_all_says_so(self):
        server = self.single("x = 1\n")
        self.assertFalse(server.ping())
        self.assertIn(b"Please provide a model_fn implementation", self.ask(server)[2])
        bare = os.path.join(self.root, "bare")
        os.makedirs(bare)
        server = ModelServer("sklearn", "1.2-1", {}, bare)
        self.assertIn(b"the model has no inference.py", self.ask(server)[2])

    def test_a_script_that_cannot_be_imported_names_its_line(self):
        status, message = ModelServer("sklearn", "1", {}, None).load("m", self.folder("import os\nimport not_there\n"))
        self.assertEqual(
            (status, message),
            (500, "Unable to load model: ModuleNotFoundError: No module named 'not_there' (inference.py, line 2)"),
        )


class ManyScripts(ScriptCase):
    def test_models_with_modules_of_the_same_name_stay_apart(self):
        server = ModelServer("sklearn", "1.2-1", {}, None)
        script = (
            MODEL_FN + "import features\ndef transform_fn(model, body, c, a):\n    import late\n"
            "    return features.NAME + late.NAME\n"
        )
        for name in ("a", "b"):
            files = {"code/features.py": f"NAME = {name!r}", "code/late.py": f"NAME = {name.upper()!r}"}
            self.assertEqual(server.load(name, self.folder(script, name, **files)), (200, f"Model {name} loaded"))
        for _ in range(2):
            self.assertEqual(self.ask(server, name="a")[2], b"aA")
            self.assertEqual(self.ask(server, name="b")[2], b"bB")

    def test_a_pickled_class_of_the_models_own_code_is_found(self):
        server = ModelServer("sklearn", "1.2-1", {}, None)
        own = "class Model:\n    def predict(self, data):\n        return [self.value]\n"
        namespace = {"__name__": "own_model"}
        exec(own, namespace)
        import sys
        import types

        module = types.ModuleType("own_model")
        module.Model = namespace["Model"]
        sys.modules["own_model"] = module
        model = module.Model()
        model.value = 7
        content = pickle.dumps(model)
        del sys.modules["own_model"]
        folder = self.folder(MODEL_FN, "own", **{"code/own_model.py": own, "model.pkl": content})
        self.assertEqual(server.load("own", folder)[0], 200)
        self.assertEqual(self.ask(server, name="own")[2], b"[7]")


if __name__ == "__main__":
    unittest.main()
