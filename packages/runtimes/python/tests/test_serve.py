import json
import os
import pickle
import shutil
import tempfile
import unittest

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import xgboost
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from slipway_runtime.serve import ModelServer

CSV = "text/csv"


def trained(objective, load=load_diabetes, rounds=5, **parameters):
    features, labels = load(return_X_y=True)
    matrix = xgboost.DMatrix(features, label=labels)
    return xgboost.train({"objective": objective, "nthread": 1, "seed": 0, **parameters}, matrix, rounds), features


def csv_payload(rows):
    return "\n".join(",".join("" if np.isnan(cell) else repr(float(cell)) for cell in row) for row in rows).encode()


def plain(booster, rows):
    return booster.predict(xgboost.DMatrix(np.asarray(rows, dtype=np.float64)), validate_features=False)


class Greedy:
    def __reduce__(self):
        return bytearray, (2**62,)


class ServeCase(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="slipway-serve-")
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)

    def folder(self, name="model", **files):
        folder = os.path.join(self.root, name)
        for path, content in files.items():
            path = os.path.join(folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        return folder

    def model(self, booster, name="model", pickled=False):
        content = pickle.dumps(booster, protocol=4) if pickled else bytes(booster.save_raw("ubj"))
        return self.folder(name, **{"xgboost-model": content})

    def single(self, booster, version="1.7-1", environ=None, pickled=False):
        return ModelServer("xgboost", version, environ or {}, self.model(booster, pickled=pickled))

    def ask(self, server, body, content_type=CSV, accept="*/*", name=None):
        return server.invoke(name, body, content_type, accept, {})


class OneModel(ServeCase):
    @classmethod
    def setUpClass(cls):
        cls.booster, cls.rows = trained("reg:squarederror")

    def test_it_answers_pings_and_says_how_much_it_takes(self):
        server = self.single(self.booster)
        self.assertTrue(server.ping())
        parameters = server.execution_parameters()
        self.assertEqual((parameters["BatchStrategy"], parameters["MaxPayloadInMB"]), ("MULTI_RECORD", 6))

    def test_a_model_that_cannot_be_loaded_is_not_ready(self):
        server = ModelServer("xgboost", "1.7-1", {}, self.folder(**{"xgboost-model": b"nonsense"}))
        self.assertFalse(server.ping())
        status, _, body = self.ask(server, b"1,2")
        self.assertEqual(status, 500)
        self.assertTrue(body.startswith(b"Unable to load model: Model xgboost-model cannot be loaded:"), body)

    def test_csv_has_one_value_a_line(self):
        status, kind, body = self.ask(self.single(self.booster), csv_payload(self.rows[:3]))
        expected = "".join(f"{value}\n" for value in plain(self.booster, self.rows[:3]).tolist())
        self.assertEqual((status, kind, body.decode()), (200, CSV, expected))

    def test_the_oldest_images_join_values_on_one_line(self):
        status, kind, body = self.ask(self.single(self.booster, "1.0-1", pickled=True), csv_payload(self.rows[:3]))
        expected = ",".join(map(str, plain(self.booster, self.rows[:3]).tolist()))
        self.assertEqual((status, kind, body.decode()), (200, CSV, expected))

    def test_json_and_json_lines(self):
        server, values = self.single(self.booster), plain(self.booster, self.rows[:2]).tolist()
        _, kind, body = self.ask(server, csv_payload(self.rows[:2]), accept="application/json")
        self.assertEqual(
            (kind, json.loads(body)), ("application/json", {"predictions": [{"score": v} for v in values]})
        )
        _, _, body = self.ask(server, csv_payload(self.rows[:2]), accept="application/jsonlines")
        self.assertEqual([json.loads(line)["score"] for line in body.splitlines()], values)

    def test_the_default_accept_comes_from_the_environment(self):
        server = self.single(self.booster, environ={"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/json"})
        for accept in ("", "*/*"):
            self.assertEqual(self.ask(server, csv_payload(self.rows[:1]), accept=accept)[1], "application/json")

    def test_what_is_wrong_has_the_containers_status(self):
        server, good = self.single(self.booster), csv_payload(self.rows[:1])
        cases = [
            (b"", CSV, "*/*", 204, ""),
            (good, "application/json", "*/*", 415, "application/json is not an accepted ContentType: "),
            (good, "application/x-parquet", "*/*", 415, "Content-type application/x-parquet is not supported."),
            (
                b"a,b",
                CSV,
                "*/*",
                415,
                "Loading csv data failed with Exception, please ensure data is in csv format:\n ",
            ),
            (
                b"1,2\n1",
                CSV,
                "*/*",
                415,
                "Loading csv data failed with Exception, please ensure data is in csv format:\n ",
            ),
            (b"1 2", "text/libsvm", "*/*", 415, "Loading libsvm data failed with Exception, please ensure"),
            (b"\xff\xfe", CSV, "*/*", 415, "Loading csv data failed with Exception"),
            (good + b",1", CSV, "*/*", 400, "Unable to evaluate payload provided: "),
            (
                good,
                CSV,
                "image/png",
                406,
                "Accept type image/png is not supported. Please use supported accept types: [",
            ),
            (good, CSV, "application/x-recordio-protobuf", 406, "Accept type application/x-recordio-protobuf is not"),
        ]
        for body, content_type, accept, status, message in cases:
            with self.subTest((body[:20], content_type, accept)):
                answer = self.ask(server, body, content_type, accept)
                self.assertEqual(answer[0], status, answer)
                self.assertEqual(answer[2].decode()[: len(message)], message)
                self.assertNotIn(b"Stack trace", answer[2])
        self.assertEqual(self.ask(server, good)[0], 200)

    def test_pickles_check_the_number_of_features_themselves(self):
        server = self.single(self.booster, pickled=True)
        status, _, body = self.ask(server, b"1,2,3")
        self.assertEqual(status, 400)
        self.assertIn(
            b"Feature size of csv inference data 3 is not consistent with feature size of trained model 10.", body
        )

    def test_libsvm_is_read_as_the_images_version_does(self):
        row = self.rows[0]
        zero_based = " ".join(f"{index}:{float(value)!r}" for index, value in enumerate(row)).encode()
        one_based = ("0 " + " ".join(f"{index + 1}:{float(value)!r}" for index, value in enumerate(row))).encode()
        expected = f"{plain(self.booster, [row]).tolist()[0]}\n".encode()
        old, new = self.single(self.booster, "1.7-1"), self.single(self.booster, "3.0-5")
        self.assertEqual(self.ask(old, zero_based, "text/libsvm")[2], expected)
        self.assertEqual(self.ask(new, one_based, "text/x-libsvm")[2], expected)
        self.assertEqual(self.ask(old, one_based, "text/libsvm")[0], 400)

    def test_a_sparse_row_may_leave_out_the_last_columns(self):
        status, _, body = self.ask(self.single(self.booster), b"2:0.05", "text/libsvm")
        row = np.full((1, 10), np.nan)
        row[0, 2] = 0.05
        self.assertEqual((status, body), (200, f"{plain(self.booster, row).tolist()[0]}\n".encode()))

    def test_other_delimiters_and_headers_of_the_type(self):
        server, row = self.single(self.booster), self.rows[0]
        expected = f"{plain(self.booster, [row]).tolist()[0]}\n".encode()
        for delimiter in (";", "\t", " "):
            body = delimiter.join(repr(float(cell)) for cell in row).encode() + b"\r\n"
            self.assertEqual(self.ask(server, body, "text/csv; charset=utf-8")[2], expected)

    def test_a_batch_has_a_line_for_each_row(self):
        server = self.single(self.booster, environ={"SAGEMAKER_BATCH": "true"})
        body = self.ask(server, csv_payload(self.rows[:2]))[2].decode()
        self.assertEqual(body, "\n".join(map(str, plain(self.booster, self.rows[:2]).tolist())) + "\n")

    def test_several_files_are_an_ensemble(self):
        other, _ = trained("reg:squarederror", rounds=2)
        folder = self.model(self.booster)
        with open(os.path.join(folder, "xgboost-model-1"), "wb") as file:
            file.write(other.save_raw("ubj"))
        with open(os.path.join(folder, ".hidden"), "wb") as file:
            file.write(b"ignored")
        mean = np.mean([plain(self.booster, self.rows[:2]), plain(other, self.rows[:2])], axis=0)
        server = ModelServer("xgboost", "1.7-1", {}, folder)
        body = self.ask(server, csv_payload(self.rows[:2]))[2].decode()
        self.assertEqual(body, "".join(f"{value}\n" for value in mean.tolist()))

    def test_the_best_round_predicts_when_later_ones_were_kept(self):
        booster = self.booster.copy()
        booster.set_attr(best_iteration="1")
        expected = booster.predict(xgboost.DMatrix(self.rows[:1]), iteration_range=(0, 2)).tolist()[0]
        self.assertEqual(self.ask(self.single(booster), csv_payload(self.rows[:1]))[2], f"{expected}\n".encode())


class Classes(ServeCase):
    def test_selected_output_of_two_classes(self):
        booster, rows = trained("binary:logistic", load_breast_cancer)
        keys = "predicted_label,probability,probabilities,labels,raw_score"
        server = self.single(booster, environ={"SAGEMAKER_INFERENCE_OUTPUT": keys})
        score = plain(booster, rows[:1]).tolist()[0]
        body = self.ask(server, csv_payload(rows[:1]), accept="application/json")[2]
        expected = {
            "predicted_label": int(score > 0.5), "probability": score, "probabilities": [1 - score, score],
            "labels": [0, 1], "raw_score": score,
        }  # fmt: skip
        self.assertEqual(json.loads(body), {"predictions": [expected]})
        text = self.ask(server, csv_payload(rows[:1]))[2].decode()
        self.assertEqual(text, f'{int(score > 0.5)},{score},"{[1 - score, score]}","[0, 1]",{score}')

    def test_selected_output_of_a_regression_has_no_label(self):
        booster, rows = trained("reg:squarederror")
        server = self.single(booster, environ={"SAGEMAKER_INFERENCE_OUTPUT": "predicted_score, predicted_label"})
        score = plain(booster, rows[:1]).tolist()[0]
        self.assertEqual(self.ask(server, csv_payload(rows[:1]))[2].decode(), f"{score},nan")

    def test_class_probabilities_are_a_row_each(self):
        booster, rows = trained("multi:softprob", load_iris, num_class=3)
        body = self.ask(self.single(booster), csv_payload(rows[:2]))[2].decode()
        expected = "".join(",".join(map(str, row)) + "\n" for row in plain(booster, rows[:2]).tolist())
        self.assertEqual(body, expected)
        keys = {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label,labels,probability"}
        body = self.ask(self.single(booster, environ=keys), csv_payload(rows[:1]), accept="application/json")[2]
        scores = plain(booster, rows[:1]).tolist()[0]
        found = json.loads(body)["predictions"][0]
        self.assertEqual(
            found, {"predicted_label": int(np.argmax(scores)), "labels": [0, 1, 2], "probability": max(scores)}
        )


class ManyModels(ServeCase):
    def setUp(self):
        super().setUp()
        self.one, self.rows = trained("reg:squarederror")
        self.two, self.other_rows = trained("binary:logistic", load_breast_cancer)
        self.server = ModelServer("xgboost", "1.7-1", {}, None)

    def test_models_are_loaded_invoked_and_unloaded(self):
        server = self.server
        self.assertTrue(server.ping())
        self.assertEqual(server.unload("a")[0], 404)
        self.assertEqual(self.ask(server, b"1", name="a")[0], 404)
        self.assertEqual(server.load("a", self.model(self.one, "a"))[0], 200)
        self.assertEqual(server.load("b", self.model(self.two, "b"))[0], 200)
        status, message = server.load("a", self.model(self.one, "a"))
        self.assertEqual((status, message), (409, "Model a is already registered."))
        values = plain(self.one, self.rows[:2]).tolist()
        self.assertEqual(
            self.ask(server, csv_payload(self.rows[:2]), name="a"), (200, CSV, ",".join(map(str, values)).encode())
        )
        values = plain(self.two, self.other_rows[:1]).tolist()
        self.assertEqual(self.ask(server, csv_payload(self.other_rows[:1]), name="b")[2].decode(), str(values[0]))
        self.assertEqual(server.unload("a")[0], 200)
        self.assertEqual(self.ask(server, b"1", name="a")[0], 404)
        self.assertEqual(self.ask(server, csv_payload(self.other_rows[:1]), name="b")[0], 200)
        self.assertEqual(server.load("a", self.model(self.one, "a"))[0], 200)

    def test_a_model_that_fails_to_load_leaves_nothing(self):
        for content in (b"", b"\x80\x04garbage", b"{L nonsense", pickle.dumps([1, 2])):
            with self.subTest(content):
                status, message = self.server.load("bad", self.folder("bad", **{"xgboost-model": content}))
                self.assertEqual(status, 500)
                self.assertTrue(
                    message.startswith("Unable to load model: Model xgboost-model cannot be loaded"), message
                )
        self.assertEqual(
            self.server.load("none", self.folder("none", **{"code/x": b""}))[1],
            "Unable to load model: the model folder has no file",
        )
        self.assertEqual(self.ask(self.server, b"1", name="bad")[0], 404)

    def test_no_memory_is_507(self):
        """A pickle may ask for any amount; this one asks for more than there is."""
        greedy = self.folder("greedy", **{"xgboost-model": pickle.dumps(Greedy())})
        self.assertEqual(self.server.load("a", greedy)[0], 507)
        self.assertEqual(self.server.load("a", self.model(self.one, "a"))[0], 200)

    def test_json_and_a_bad_accept(self):
        self.server.load("a", self.model(self.one, "a"))
        body = csv_payload(self.rows[:2])
        answer = self.ask(self.server, body, accept="application/json", name="a")
        self.assertEqual(json.loads(answer[2]), plain(self.one, self.rows[:2]).tolist())
        status, _, message = self.ask(self.server, body, accept="image/png", name="a")
        self.assertEqual(status, 415)
        self.assertTrue(message.startswith(b"Encoding to accept type image/png failed with exception: "))
        self.assertEqual(self.ask(self.server, b"", name="a")[0], 204)


class Predictions(ServeCase):
    def test_answers_equal_the_librarys_own_on_random_rows(self):
        seed = int(os.environ.get("SLIPWAY_TEST_SEED", np.random.SeedSequence().entropy % 2**32))
        random = np.random.default_rng(seed)
        settings = [
            ("reg:squarederror", load_diabetes, {}),
            ("count:poisson", load_diabetes, {"max_delta_step": 0.7}),
            ("binary:logistic", load_breast_cancer, {"max_depth": 3}),
            ("binary:logitraw", load_breast_cancer, {}),
            ("reg:squarederror", load_diabetes, {"booster": "dart", "rate_drop": 0.3}),
        ]
        for objective, load, parameters in settings:
            booster, features = trained(objective, load, 7, **parameters)
            one, many = self.single(booster), ModelServer("xgboost", "1.7-1", {}, None)
            many.load("m", self.model(booster))
            for _ in range(40):
                rows = features[random.integers(0, len(features), random.integers(1, 6))].copy()
                rows *= random.normal(1, 0.5, rows.shape)
                rows[random.random(rows.shape) < 0.1] = np.nan
                rows[random.random(rows.shape) < 0.05] = 0.0
                if np.isnan(rows[0]).all():
                    continue
                values = [str(value) for value in plain(booster, rows).tolist()]
                with self.subTest(f"seed {seed}, {objective}"):
                    body = csv_payload(rows)
                    self.assertEqual(self.ask(one, body)[2].decode().split(), values)
                    self.assertEqual(self.ask(many, body, name="m")[2].decode().split(","), values)


if __name__ == "__main__":
    unittest.main()
