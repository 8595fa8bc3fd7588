"""What `docker run <image> train` does: the user's program, or the image's own algorithm."""

import sys
import traceback

from slipway_runtime import script_mode
from slipway_runtime.failures import AlgorithmError, ClientError, ScriptError, write_failure
from slipway_runtime.training_folder import TrainingFolder, decode

FAILED_CODE = 1


def main(framework, version):
    """Trains in this process and returns its exit code. `framework` is `xgboost`, `sklearn` or `python`.

    Why it failed stands in `<base>/output/failure`: `ClientError: …`, `AlgorithmError: …` or
    `ExecuteUserScriptError: …`.
    """
    folder = TrainingFolder()
    try:
        folder.make_folders()
        run(folder, framework, version)
    except ScriptError as error:
        write_failure(folder.output, str(error))
        return error.code if 0 < error.code < 256 else FAILED_CODE
    except (ClientError, AlgorithmError) as error:
        return failed(folder, f"{error.prefix}: {error}")
    except Exception as error:
        traceback.print_exc()
        return failed(folder, f"AlgorithmError: {type(error).__name__}: {error}")
    return 0


def failed(folder, text):
    print(text, file=sys.stderr, flush=True)
    write_failure(folder.output, text)
    return FAILED_CODE


def run(folder, framework, version):
    raw = folder.raw_hyperparameters()
    hyperparameters = decode(raw)
    program = script_mode.wanted(hyperparameters)
    if program is not None:
        script_mode.train(folder, hyperparameters, program, framework)
    elif framework == "xgboost":
        from slipway_runtime import xgboost_algorithm

        xgboost_algorithm.train(folder, raw, version)
    else:
        raise ClientError(
            f"the {framework} image has no algorithm of its own: name your training script in the hyperparameter "
            "sagemaker_program and its code in sagemaker_submit_directory"
        )
