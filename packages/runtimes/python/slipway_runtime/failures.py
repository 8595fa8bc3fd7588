"""How a training job says why it failed: the failure file, whose first 1024 characters become FailureReason."""

import os
import sys

LONGEST_FAILURE_CHARACTERS = 8192


class ClientError(Exception):
    """What the user can put right: a hyperparameter, a channel, the data."""

    prefix = "ClientError"


class AlgorithmError(Exception):
    """What failed inside the algorithm itself."""

    prefix = "AlgorithmError"


class ScriptError(Exception):
    """A user's program that ended with a code other than 0, in the training toolkit's words.

    Source: sagemaker-training-toolkit, errors.py: the kind of the error, the code, the last words on stderr, the
    command.
    """

    def __init__(self, kind, code, message, command):
        super().__init__(f'{kind}:\nExitCode {code}\nErrorMessage "{message}"\nCommand "{command}"')
        self.code = code


def write_failure(output_folder, text):
    """Writes the failure file; a job whose disk is full still ends with its exit code."""
    try:
        os.makedirs(output_folder, exist_ok=True)
        with open(os.path.join(output_folder, "failure"), "w", encoding="utf-8") as file:
            file.write(text[:LONGEST_FAILURE_CHARACTERS])
    except OSError as error:
        print(f"[slipway] the failure file could not be written: {error}", file=sys.stderr, flush=True)
