import os
import pickle
import re
import signal
import time
import unittest

from tests.job import JobCase, csv_of

import numpy as np
import xgboost
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

ROWS = 120


def plain(labels, rows, rounds, **parameters):
    matrix = xgboost.DMatrix(np.array(rows, dtype=np.float64), label=labels)
    return xgboost.train({"seed": 0, "nthread": 1, **parameters}, matrix, rounds)


class Training(JobCase):
    def setUp(self):
        super().setUp()
        features, labels = load_diabetes(return_X_y=True)
        self.rows, self.labels = features[:ROWS], labels[:ROWS]
        self.csv = csv_of(self.labels, self.rows)

    def booster(self, name="xgboost-model"):
        return xgboost.Booster({"nthread": 1}, model_file=self.path("model", name))

    def predictions(self, booster, rows=None):
        return booster.predict(xgboost.DMatrix(np.array(self.rows if rows is None else rows)), validate_features=False)

    def test_it_trains_the_librarys_model(self):
        self.channel("train", self.csv)
        self.configure({"num_round": "8", "max_depth": "3", "learning_rate": "0.3", "nthread": "1"}, ["train"])
        result = self.train()
        self.assertEqual((result.code, result.failure), (0, ""), result.output)
        expected = plain(self.labels, self.rows, 8, max_depth=3, eta=0.3)
        np.testing.assert_array_equal(self.predictions(self.booster()), self.predictions(expected))

    def test_the_metric_line_of_each_round_has_tabs_whatever_the_verbosity(self):
        self.channel("train", self.csv)
        self.channel("validation", self.csv)
        self.configure({"num_round": "3", "verbosity": "0", "objective": "reg:linear"}, ["train", "validation"])
        result = self.train()
        self.assertEqual(result.code, 0, result.output)
        lines = [line for line in result.output.splitlines() if line.startswith("[")]
        self.assertEqual(len(lines), 3)
        for number, line in enumerate(lines):
            self.assertRegex(line, rf"^\[{number}\]\ttrain-rmse:\d+\.\d{{5}}\tvalidation-rmse:\d+\.\d{{5}}$")

    def test_the_artifact_of_old_images_is_a_pickle(self):
        self.channel("train", self.csv)
        self.configure({"num_round": "2"}, ["train"])
        for version in ("1.0-1", "1.2-1", "1.2-2"):
            self.assertEqual(self.train(version=version).code, 0)
            with open(self.path("model/xgboost-model"), "rb") as file:
                content = file.read()
            self.assertEqual(content[:2], b"\x80\x04")
            self.assertIsInstance(pickle.loads(content), xgboost.Booster)
        self.assertEqual(self.train(version="1.3-1").code, 0)
        self.assertEqual(self.booster().num_boosted_rounds(), 2)
        self.assertEqual(os.listdir(self.path("model")), ["xgboost-model"])

    def test_two_runs_write_the_same_bytes(self):
        self.channel("train", self.csv)
        self.configure({"num_round": "5", "subsample": "0.5", "colsample_bytree": "0.5"}, ["train"])
        contents = []
        for _ in range(2):
            self.assertEqual(self.train().code, 0)
            with open(self.path("model/xgboost-model"), "rb") as file:
                contents.append(file.read())
        self.assertEqual(contents[0], contents[1])

    def test_early_stopping_keeps_the_best_round(self):
        self.channel("train", csv_of(self.labels[:80], self.rows[:80]))
        self.channel("validation", csv_of(self.labels[80:], self.rows[80:]))
        self.configure(
            {"num_round": "200", "early_stopping_rounds": "3", "eval_metric": "mae,rmse"}, ["train", "validation"]
        )
        result = self.train()
        self.assertEqual(result.code, 0, result.output)
        scores = [float(score) for score in re.findall(r"validation-rmse:(\S+)", result.output)]
        self.assertLess(len(scores), 200)
        self.assertEqual(self.booster().num_boosted_rounds(), int(np.argmin(scores)) + 1)

    def test_metrics_that_the_container_adds(self):
        features, labels = load_breast_cancer(return_X_y=True)
        self.channel("train", csv_of(labels, features))
        names = "auc,accuracy,f1,balanced_accuracy,precision,recall"
        self.configure({"num_round": "2", "objective": "binary:logistic", "eval_metric": names}, ["train"])
        result = self.train()
        self.assertEqual(result.code, 0, result.output)
        last = result.output.splitlines()[-1]
        found = dict(re.findall(r"train-(\w+):([\d.]+)", last))
        self.assertEqual(set(found), set(names.split(",")))
        matrix = xgboost.DMatrix(features)
        right = np.mean((self.booster().predict(matrix, validate_features=False) > 0.5) == labels)
        self.assertAlmostEqual(float(found["accuracy"]), right, places=5)

    def test_the_tuning_jobs_metric_is_printed_too(self):
        self.channel("train", self.csv)
        self.channel("validation", self.csv)
        self.configure(
            {"num_round": "1", "_tuning_objective_metric": "validation:mae", "eval_metric": "rmse"},
            ["train", "validation"],
        )
        self.assertIn("validation-mae:", self.train().output)

    def test_many_classes(self):
        features, labels = load_iris(return_X_y=True)
        self.channel("train", csv_of(labels, features))
        self.configure(
            {"num_round": "2", "objective": "multi:softprob", "num_class": "3", "eval_metric": "mlogloss,f1_macro"},
            ["train"],
        )
        result = self.train()
        self.assertEqual(result.code, 0, result.output)
        self.assertIn("train-f1_macro:", result.output)
        self.assertEqual(self.predictions(self.booster(), features).shape, (150, 3))

    def test_libsvm_counts_from_zero(self):
        lines = [
            f"{label} " + " ".join(f"{i + 1}:{v}" for i, v in enumerate(row))
            for label, row in zip(self.labels, self.rows)
        ]
        self.channel("train", "\n".join(lines), "data.libsvm")
        self.configure({"num_round": "2"}, ["train"], "text/x-libsvm")
        self.assertEqual(self.train().code, 0)
        self.assertEqual(self.booster().num_features(), self.rows.shape[1] + 1)

    def test_weights_in_the_second_column(self):
        weights = np.arange(1, ROWS + 1) / ROWS
        self.channel("train", csv_of(self.labels, np.column_stack([weights, self.rows])))
        self.configure({"num_round": "4", "csv_weights": "1", "nthread": "1"}, ["train"])
        self.assertEqual(self.train().code, 0)
        matrix = xgboost.DMatrix(self.rows, label=self.labels, weight=weights)
        expected = xgboost.train({"seed": 0, "nthread": 1}, matrix, 4)
        np.testing.assert_array_equal(self.predictions(self.booster()), self.predictions(expected))

    def test_a_heading_is_left_out_with_a_warning(self):
        heading = ",".join(["target", *(f"f{i}" for i in range(self.rows.shape[1]))]) + "\n"
        self.channel("train", heading + self.csv)
        self.configure({"num_round": "2"}, ["train"])
        result = self.train()
        self.assertEqual(result.code, 0, result.output)
        self.assertIn("WARNING: the first line of data.csv is a heading (target,f0,", result.output)
        self.assertIn(f"Train matrix has {ROWS} rows and {self.rows.shape[1]} columns", result.output)

    def test_booleans_and_empty_cells_are_read(self):
        self.channel("train", "1,True,0.5\n0,False,\n1,true,2\n0,false,nan\n")
        self.configure({"num_round": "2", "min_child_weight": "0", "objective": "binary:logistic"}, ["train"])
        self.assertEqual(self.train().code, 0)
        rows = [[1, 0.5], [0, np.nan], [1, 2], [0, np.nan]]
        expected = plain([1, 0, 1, 0], rows, 2, objective="binary:logistic", min_child_weight=0)
        np.testing.assert_array_equal(self.predictions(self.booster(), rows), self.predictions(expected, rows))

    def test_files_of_a_channel_are_joined_by_name(self):
        half = ROWS // 2
        self.channel("train", csv_of(self.labels[half:], self.rows[half:]), "b.csv")
        self.channel("train", csv_of(self.labels[:half], self.rows[:half]), "a.csv")
        self.channel("train", "not,data\n", ".hidden")
        self.configure({"num_round": "3", "nthread": "1"}, ["train"])
        self.assertEqual(self.train().code, 0)
        expected = plain(self.labels, self.rows, 3)
        np.testing.assert_array_equal(self.predictions(self.booster()), self.predictions(expected))

    @unittest.skipUnless(os.path.isdir("/proc/self"), "finds the job by /proc")
    def test_a_stopped_job_keeps_its_model_when_asked_to(self):
        self.channel("train", self.csv)
        self.configure({"num_round": "1000000", "max_depth": "1", "save_model_on_termination": "true"}, ["train"])
        log = self.path("log")
        watcher = os.fork()
        if watcher == 0:
            parent = os.getppid()
            while not self.has_begun(log):
                time.sleep(0.01)
            with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as file:
                children = [int(pid) for pid in file.read().split() if int(pid) != os.getpid()]
            for pid in children:
                os.kill(pid, signal.SIGTERM)
            os._exit(0)
        result = self.train()
        os.waitpid(watcher, 0)
        self.assertEqual(result.code, 0, result.output)
        self.assertGreater(self.booster().num_boosted_rounds(), 3)

    @staticmethod
    def has_begun(log):
        if not os.path.exists(log):
            return False
        with open(log, "rb") as file:
            return b"[3]" in file.read()


class Refusals(JobCase):
    GOOD = "1,0.5,1\n0,0.1,2\n1,0.7,3\n0,0.2,4\n"

    def refusal(self, hyperparameters=None, channels=("train",), content_type="text/csv"):
        self.configure({"num_round": "2", **(hyperparameters or {})}, channels, content_type)
        result = self.train()
        self.assertEqual(result.code, 1, result.output)
        self.assertEqual(os.listdir(self.path("model")), [])
        self.assertIn(result.failure, result.output)
        return result.failure

    def test_hyperparameters(self):
        self.channel("train", self.GOOD)
        cases = [
            ({"num_rounds": "3"}, "ClientError: Extraneous hyperparameter found: num_rounds"),
            ({"eta": "2"}, "ClientError: Hyperparameter eta: 2.0 is not in [0, 1]"),
            ({"subsample": "0"}, "ClientError: Hyperparameter subsample: 0.0 is not in (0, 1]"),
            ({"num_round": "0"}, "ClientError: Hyperparameter num_round: 0 is not in [1, +inf)"),
            (
                {"max_depth": "six"},
                "ClientError: Hyperparameter max_depth: could not parse value (caused by ValueError)",
            ),
            ({"booster": "tree"}, "ClientError: Hyperparameter booster: tree is not in ['gbtree', 'gblinear', 'dart']"),
            (
                {"objective": "multi:softmax"},
                "ClientError: Require input for parameter 'num_class' for multi-classification",
            ),
            (
                {"eval_metric": "rmse,nope"},
                "ClientError: Hyperparameter eval_metric: value ['rmse', 'nope'] not in range",
            ),
            ({"objective": "reg:gamma", "eval_metric": "auc"}, "ClientError: Metric 'auc' can only be applied for"),
            (
                {"_kfold": "5"},
                "ClientError: Hyperparameter _kfold: k-fold cross-validation inside the algorithm is not",
            ),
            ({"tree_method": "gpu_hist"}, "ClientError: training on a GPU is not supported by Slipway yet"),
            (
                {"monotone_constraints": "__import__('os')"},
                "ClientError: Hyperparameter monotone_constraints: could not",
            ),
        ]
        for given, expected in cases:
            with self.subTest(given):
                self.assertEqual(self.refusal(given)[: len(expected)], expected)

    def test_a_missing_number_of_rounds(self):
        self.configure({"eta": "0.1"}, ["train"])
        self.assertEqual(self.train().failure, "ClientError: Missing required hyperparameter: num_round")

    def test_channels(self):
        self.assertEqual(self.refusal(channels=()), "ClientError: Missing required channel: train")
        self.channel("train", self.GOOD)
        self.channel("test", self.GOOD)
        self.assertEqual(self.refusal(channels=("train", "test")), "ClientError: Extraneous channel found: test")
        self.assertTrue(
            self.refusal(content_type="application/json").startswith("ClientError: application/json is not an")
        )
        self.assertIn("label_size must be equal to 1", self.refusal(content_type="text/csv; label_size=2"))

    def test_data(self):
        cases = [
            ("", "ClientError: No data in training channel path"),
            ("label,a,b\n", "ClientError: No rows in the files of channel train"),
            ("1,0.5\n0,red\n1,0.2\n", "ClientError: data.csv, line 2, column 2: 'red' is text."),
            ("y,a\n1,0.5\n0,red\n", "ClientError: data.csv, line 3, column 2: 'red' is text."),
            ("1\n0\n", "ClientError: Channel train has 1 column(s)"),
            ("1,2\n,3\n", "ClientError: Channel train: 1 row(s) have no label, the first is row 2"),
            ("1,2\n0,3,4,5\n", "ClientError: Failed to load csv data with exception:"),
            ("1,2\n0,inf\n", "ClientError: Failed to load the data of channel train: "),
            ("1,2\n1,3\n", "ClientError: The train channel has one class only (every label is 1); binary:logistic"),
            ("5,2\n1,3\n", "ClientError: label must be in [0,1] for logistic regression"),
        ]
        for content, expected in cases:
            with self.subTest(content):
                self.channel("train", content)
                self.assertEqual(self.refusal({"objective": "binary:logistic"})[: len(expected)], expected)

    def test_an_empty_validation_channel(self):
        self.channel("train", self.GOOD)
        self.channel("validation", "")
        failure = self.refusal(channels=("train", "validation"))
        self.assertTrue(failure.startswith("ClientError: No data in validation channel path"), failure)

    def test_files_of_different_widths(self):
        self.channel("train", "1,2,3\n", "a.csv")
        self.channel("train", "1,2\n", "b.csv")
        self.assertIn("ClientError: The files of a channel must have the same number of columns", self.refusal())

    def test_a_libsvm_file_that_is_none(self):
        self.channel("train", "1,2,3\n")
        self.assertIn(
            "ClientError: data.csv is not 'LIBSVM' format: line 1 is '1,2,3'", self.refusal(content_type="libsvm")
        )

    def test_labels_outside_the_number_of_classes(self):
        self.channel("train", self.GOOD.replace("1,0.5", "7,0.5"))
        failure = self.refusal({"objective": "multi:softmax", "num_class": "2"})
        self.assertTrue(failure.startswith("ClientError: "), failure)
        self.assertNotIn("Stack trace", failure)


if __name__ == "__main__":
    unittest.main()
