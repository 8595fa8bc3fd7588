"""Script mode: the user's own program trains, as SageMaker's training toolkit would start it.

Source: sagemaker-training-toolkit: a `.sh` program is a command, a folder with a setup.py is a package that is run as a
module, everything else is a Python script. The working folder is the code folder; PYTHONPATH has it too, so that a
program finds its neighbours and so do the processes that it starts.
"""

import os
import shlex
import subprocess
import sys

from slipway_runtime import last_words, layers, opt_ml, script, sm_environment, source_code
from slipway_runtime.failures import ClientError, ScriptError

LONGEST_COMMAND = 300


def wanted(hyperparameters):
    """The user's program, or None when the image's own algorithm trains. A hyperparameter goes before the variable."""
    program = hyperparameters.get("sagemaker_program") or os.environ.get("SAGEMAKER_PROGRAM")
    return str(program) if program else None


def train(folder, hyperparameters, program, framework):
    """Runs the program. Raises ScriptError when it ends with a code other than 0, ClientError when it cannot start."""
    submit = hyperparameters.get("sagemaker_submit_directory") or os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY")
    submit = str(submit) if submit else folder.code
    source_code.fetch(submit, folder.code)
    path = program_path(folder.code, program)
    words = sm_environment.arguments(sm_environment.own_hyperparameters(hyperparameters))
    set_environment(folder, hyperparameters, program, submit, framework)
    with last_words.Listening() as heard:
        if program.endswith(".sh"):
            command = ["/bin/sh", "-c", " ".join(shlex.quote(word) for word in [f"./{program}", *words])]
            code = run_command(folder.code, command, path)
        elif os.path.isfile(os.path.join(folder.code, "setup.py")):
            install_package(folder.code)
            module = program.removesuffix(".py").replace("/", ".")
            command = [sys.executable, "-m", module, *words]
            code = run_command(folder.code, command, path)
        else:
            command = [sys.executable, program, *words]
            code = script.run_script(path, words, folder.code)
    if code != 0:
        message = last_words.why(heard.text(), folder.code)
        shown = " ".join(["/usr/bin/python3" if word == sys.executable else word for word in command])
        raise ScriptError(kind_of(message), code, message, shown[:LONGEST_COMMAND])


def kind_of(message):
    """The toolkit has an error of its own for requirements that pip could not install."""
    failed_layer = message.startswith(f"[slipway] {layers.NAME}")
    return "InstallRequirementsError" if failed_layer else "ExecuteUserScriptError"


def program_path(code, program):
    path = os.path.normpath(os.path.join(code, program))
    if os.path.isabs(program) or not path.startswith(os.path.normpath(code) + os.sep):
        raise ClientError(f"sagemaker_program must be a path inside the code, not {program!r}")
    if not os.path.isfile(path):
        there = sorted(name for name in os.listdir(code) if not name.startswith("."))[:20]
        raise ClientError(
            f"sagemaker_program {program!r} is not in the code, which has: {', '.join(there) or 'nothing'}"
        )
    return path


def set_environment(folder, hyperparameters, program, submit, framework):
    os.environ.update(sm_environment.variables(folder, hyperparameters, program, submit, framework))
    paths = [folder.code, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    if folder.code not in sys.path:
        sys.path.insert(0, folder.code)


def run_command(code, command, path):
    """Runs another program to its end and passes its stderr on, keeping the end of it."""
    opt_ml.require(code, [path])
    try:
        layers.install_for(code)
    except layers.LayerFailed as failure:
        print(f"[slipway] {failure}", file=sys.stderr, flush=True)
        return 1
    if command[0] == "/bin/sh":
        os.chmod(path, os.stat(path).st_mode | 0o100)
    script.flush()
    child = subprocess.Popen(command, cwd=code, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with child.stderr as stream:
        for line in iter(lambda: stream.readline(1 << 16), b""):
            sys.stderr.write(line.decode("utf-8", "replace"))
    code = child.wait()
    return 128 - code if code < 0 else code


def install_package(code):
    command = [sys.executable, "-m", "pip", "install", "--no-input", "--no-deps", "--no-build-isolation", "."]
    done = subprocess.run(command, cwd=code, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    print(done.stdout, end="")
    if done.returncode != 0:
        print(done.stderr, end="", file=sys.stderr)
        message = last_words.last_line(done.stderr)
        raise ScriptError("InstallModuleError", done.returncode, message, "/usr/bin/python3 -m pip install .")
