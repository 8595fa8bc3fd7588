import io
import json
import os
import tarfile
import unittest

from tests.job import JobCase

SHOW = """
import json, os, sys
with open(os.environ["SM_OUTPUT_DATA_DIR"] + "/seen.json", "w") as file:
    json.dump({"argv": sys.argv, "env": dict(os.environ), "cwd": os.getcwd(), "file": __file__}, file)
"""


def packed(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content.encode()), 0o644
            archive.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


class ScriptMode(JobCase):
    def run_script(self, source, hyperparameters=None, channels=(), **options):
        self.write("packed/train.py", source)
        submitted = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": json.dumps(self.path("packed"))}
        self.configure({**submitted, **(hyperparameters or {})}, channels)
        return self.train(**options)

    def seen(self):
        with open(self.path("output/data/seen.json"), encoding="utf-8") as file:
            return json.load(file)

    def test_hyperparameters_become_sorted_arguments(self):
        given = {"max_depth": "3", "eta": "0.1", "b": "true", "none": "null", "CV-SCORER": "roc_auc", "text": '"None"'}
        result = self.run_script(SHOW, given)
        self.assertEqual(result.code, 0, result.output)
        self.assertEqual(
            self.seen()["argv"][1:],
            "--CV-SCORER roc_auc -b True --eta 0.1 --max_depth 3 --none  --text None".split(" "),
        )

    def test_the_script_sees_the_toolkits_variables(self):
        self.channel("train", "1,2\n")
        result = self.run_script(SHOW, {"CV-SCORER": "roc_auc", "depth": "3"}, ["train"])
        self.assertEqual(result.code, 0, result.output)
        env = self.seen()["env"]
        self.assertEqual(env["SM_CHANNEL_TRAIN"], self.path("input/data/train"))
        self.assertEqual(env["SM_MODEL_DIR"], self.path("model"))
        self.assertEqual(env["SM_HP_CV-SCORER"], "roc_auc")
        self.assertEqual(json.loads(env["SM_HPS"]), {"CV-SCORER": "roc_auc", "depth": 3})
        self.assertEqual(json.loads(env["SM_USER_ARGS"]), ["--CV-SCORER", "roc_auc", "--depth", "3"])
        self.assertEqual(json.loads(env["SM_CHANNELS"]), ["train"])
        self.assertEqual(env["SM_CURRENT_HOST"], "algo-1")
        self.assertEqual(env["SM_USER_ENTRY_POINT"], "train.py")
        self.assertEqual(env["SM_MODULE_NAME"], "train")
        self.assertEqual(json.loads(env["SM_TRAINING_ENV"])["model_dir"], self.path("model"))
        names = """SM_HOSTS SM_NETWORK_INTERFACE_NAME SM_FRAMEWORK_PARAMS SM_RESOURCE_CONFIG SM_INPUT_DATA_CONFIG
            SM_CURRENT_INSTANCE_TYPE SM_CURRENT_INSTANCE_GROUP SM_CURRENT_INSTANCE_GROUP_HOSTS SM_INSTANCE_GROUPS
            SM_INSTANCE_GROUPS_DICT SM_DISTRIBUTION_INSTANCE_GROUPS SM_IS_HETERO SM_LOG_LEVEL SM_FRAMEWORK_MODULE
            SM_INPUT_DIR SM_INPUT_CONFIG_DIR SM_OUTPUT_DIR SM_NUM_CPUS SM_NUM_GPUS SM_NUM_NEURONS SM_MODULE_DIR
            SM_OUTPUT_INTERMEDIATE_DIR"""
        self.assertEqual([name for name in names.split() if name not in env], [])

    def test_the_working_folder_is_the_code_folder(self):
        self.run_script(SHOW)
        seen = self.seen()
        self.assertEqual(os.path.realpath(seen["cwd"]), os.path.realpath(self.path("code")))
        self.assertEqual(seen["file"], self.path("code/train.py"))
        self.assertIn(self.path("code"), seen["env"]["PYTHONPATH"].split(":"))

    def test_a_program_in_a_folder_imports_its_neighbours_and_starts_siblings(self):
        sibling = 'import os; open(os.environ["SM_MODEL_DIR"] + "/from-sibling", "w").close()'
        start = "import subprocess, sys, features, os\nhere = os.path.dirname(__file__)\n"
        start += 'subprocess.run([sys.executable, here + "/sibling.py"], check=True)\n'
        files = {"scripts/refit.py": start, "scripts/sibling.py": sibling, "scripts/features.py": "", "other.py": ""}
        tar = self.write("sourcedir.tar.gz", packed(files))
        self.configure({"sagemaker_program": '"scripts/refit.py"', "sagemaker_submit_directory": json.dumps(tar)})
        result = self.train("sklearn", "1.2-1")
        self.assertEqual(result.code, 0, result.output)
        self.assertTrue(os.path.exists(self.path("model/from-sibling")))

    def test_the_failure_names_the_exception_the_file_and_the_line(self):
        result = self.run_script("def fit():\n    raise ValueError('bad row')\n\nfit()\n", {"k": "1"})
        self.assertEqual(result.code, 1)
        self.assertEqual(
            result.failure,
            'ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: bad row (train.py, line 2)"\n'
            'Command "/usr/bin/python3 train.py -k 1"',
        )
        self.assertIn("Traceback (most recent call last):", result.output)

    def test_the_exit_code_is_the_scripts_own(self):
        result = self.run_script("import sys\nprint('no data', file=sys.stderr)\nsys.exit(3)\n")
        self.assertEqual(result.code, 3)
        self.assertIn('ExitCode 3\nErrorMessage "no data"', result.failure)

    def test_a_script_that_does_not_compile_says_where(self):
        result = self.run_script("a = 1\nb = = 2\n")
        self.assertEqual(result.code, 1)
        self.assertIn("SyntaxError: invalid syntax (train.py, line 2)", result.failure)

    def test_a_script_that_writes_no_model_completes(self):
        result = self.run_script("print('Cross-Validation Score: 0.97')")
        self.assertEqual((result.code, result.failure), (0, ""))
        self.assertIn("Cross-Validation Score: 0.97", result.output)

    def test_a_shell_program_runs_with_its_arguments(self):
        self.write("packed/run.sh", 'echo "$@" > "$SM_MODEL_DIR/words"\necho broken >&2\nexit 4\n')
        self.configure(
            {"sagemaker_program": '"run.sh"', "sagemaker_submit_directory": json.dumps(self.path("packed")), "a": "x y"}
        )
        result = self.train()
        with open(self.path("model/words"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "-a x y\n")
        self.assertEqual(result.code, 4)
        self.assertIn('ErrorMessage "broken"', result.failure)

    def test_a_program_named_by_the_environment_is_script_mode_too(self):
        self.write("packed/go.py", SHOW)
        self.configure({})
        environment = {"SAGEMAKER_PROGRAM": "go.py", "SAGEMAKER_SUBMIT_DIRECTORY": self.path("packed")}
        self.assertEqual(self.train(environment=environment).code, 0)
        self.assertEqual(self.seen()["file"], self.path("code/go.py"))

    def test_a_program_outside_the_code_is_refused(self):
        for program in ("../train.py", "/etc/passwd"):
            with self.subTest(program):
                self.configure({"sagemaker_program": json.dumps(program)})
                result = self.train()
                self.assertEqual(result.code, 1)
                self.assertIn("ClientError: sagemaker_program must be a path inside the code", result.failure)

    def test_a_missing_program_says_what_is_there(self):
        self.write("packed/main.py", "")
        self.configure(
            {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": json.dumps(self.path("packed"))}
        )
        self.assertIn(
            "ClientError: sagemaker_program 'train.py' is not in the code, which has: main.py", self.train().failure
        )

    def test_an_image_without_an_algorithm_asks_for_a_script(self):
        self.configure({})
        result = self.train("sklearn", "1.2-1")
        self.assertEqual(result.code, 1)
        self.assertIn("ClientError: the sklearn image has no algorithm of its own", result.failure)

    def test_code_that_cannot_be_fetched_is_a_client_error(self):
        self.configure({"sagemaker_program": '"t.py"', "sagemaker_submit_directory": '"https://example.test/x"'})
        self.assertIn("ClientError: the code may lie on s3://", self.train().failure)


if __name__ == "__main__":
    unittest.main()
