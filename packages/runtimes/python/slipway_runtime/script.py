"""Runs a user's script in this already forked process, so that it finds numpy, pandas and xgboost imported.

Nothing may show the script that it was not started by `python script.py`: its `__file__`, `__name__`, arguments, path,
working folder, interpreter, tracebacks and exit code are those of a process of its own.
"""

import importlib.machinery
import os
import signal
import sys
import threading
import types

from slipway_runtime import layers, opt_ml


def run_script(path, argv, folder=None):
    """Runs a Python file as `__main__` and returns its exit code.

    `folder` becomes the working folder (the script's own by default). A `requirements.txt` there is installed first. In a
    process without a private /opt/ml, a script that names /opt/ml is given the machine's, or refused.
    """
    path = os.path.abspath(path)
    folder = os.path.abspath(folder or os.path.dirname(path))
    if not os.path.isfile(path):
        print(f"python: can't open file '{path}': [Errno 2] No such file or directory", file=sys.stderr)
        return 2
    opt_ml.require(folder, [path])
    try:
        replaced = layers.install_for(folder)
    except layers.LayerFailed as failure:
        print(f"[slipway] {failure}", file=sys.stderr, flush=True)
        return 1
    if replaced:
        return run_apart(path, argv, folder, replaced)
    os.chdir(folder)
    sys.argv = [path, *argv]
    sys.path.insert(0, os.path.dirname(path))
    code = execute(path)
    return finish(code)


def run_apart(path, argv, folder, replaced):
    """Becomes a fresh interpreter: the layer replaces packages that this process has imported already."""
    print(f"[slipway] requirements.txt replaces {', '.join(replaced)}: starting a fresh Python", file=sys.stderr)
    flush()
    os.chdir(folder)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execv(sys.executable, [sys.executable, path, *argv])
    return exit_code(os.waitpid(pid, 0)[1])


def exit_code(status):
    """What a shell would say: 128 and the signal for a process that a signal ended."""
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def main_module(path):
    module = types.ModuleType("__main__")
    loader = importlib.machinery.SourceFileLoader("__main__", path)
    module.__dict__.update(
        __file__=path, __loader__=loader, __spec__=None, __cached__=None, __builtins__=sys.modules["builtins"]
    )
    return module


def execute(path):
    module = main_module(path)
    sys.modules["__main__"] = module
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        error.__traceback__ = None
        sys.excepthook(type(error), error, None)
        return 1
    try:
        exec(code, module.__dict__)
    except SystemExit as leaving:
        return code_of(leaving)
    except KeyboardInterrupt as error:
        report(error)
        return 130
    except BaseException as error:
        report(error)
        return 1
    return 0


def report(error):
    """Prints the traceback as Python does, from the script's first line on."""
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    error.__traceback__ = trace
    flush()
    try:
        sys.excepthook(type(error), error, trace)
    except BaseException:
        sys.__excepthook__(type(error), error, trace)


def code_of(leaving):
    """The exit code that Python gives to `sys.exit(value)`."""
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    print(leaving.code, file=sys.stderr)
    return 1


def finish(code):
    """Waits for the script's threads and runs its exit handlers, as an interpreter's end does."""
    import atexit

    try:
        threading._shutdown()
        atexit._run_exitfuncs()
    except SystemExit as leaving:
        code = code_of(leaving)
    except BaseException as error:
        sys.__excepthook__(type(error), error, error.__traceback__)
    flush()
    return code


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
