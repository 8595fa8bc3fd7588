"""Scripts that name /opt/ml where it cannot be private to the job: found, then given the machine's own, or refused."""

import ast
import fcntl
import json
import os
import re

from slipway_runtime import context

OPT_ML = "/opt/ml"
NAMES = re.compile(r"/opt/ml(?![\w.-])")
LARGEST_SOURCE_BYTES = 2_000_000
MOST_FILES = 2000
# What a script falls back to when a variable is missing is never used: every job has these variables.
GIVEN = re.compile(r"^(SM_|SAGEMAKER_)")
SHELL_DEFAULT = re.compile(r"\$\{(SM_|SAGEMAKER_)\w*:?-[^}]*\}")
REFUSED_CODE = 78


def require(folder, files):
    """Before a script runs: makes /opt/ml the job's own if the script needs it, or ends this process refused."""
    job = context.current
    if job is None or job.isolation == "namespace" or job.control is None:
        return
    found = first_use(folder, files)
    if found is None:
        return
    job.control.sendall(json.dumps({"needs": "opt_ml", "where": found}).encode() + b"\n")
    answer = json.loads(read_line(job.control) or '{"granted": false}')
    if not answer["granted"]:
        print(f"[slipway] {answer.get('explanation', 'the supervisor is gone')}", flush=True)
        os._exit(REFUSED_CODE)


def read_line(stream):
    line = b""
    while not line.endswith(b"\n"):
        chunk = stream.recv(4096)
        if not chunk:
            return b""
        line += chunk
    return line


def first_use(folder, files):
    """`file:line` of the first place that names /opt/ml, None when no place does."""
    for path in [*files, *sources(folder)]:
        try:
            if os.path.getsize(path) > LARGEST_SOURCE_BYTES:
                continue
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            continue
        line = line_in(text, path.endswith(".py")) if NAMES.search(text) else None
        if line is not None:
            inside = bool(folder) and os.path.abspath(path).startswith(os.path.abspath(folder) + os.sep)
            return f"{os.path.relpath(path, folder) if inside else os.path.basename(path)}:{line}"
    return None


def sources(folder):
    found = []
    for path, folders, names in os.walk(folder or os.devnull):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        found += [os.path.join(path, name) for name in sorted(names) if name.endswith((".py", ".sh"))]
        if len(found) > MOST_FILES:
            break
    return found[:MOST_FILES]


def line_in(text, is_python):
    if is_python:
        try:
            return python_line(ast.parse(text))
        except (SyntaxError, ValueError):
            pass  # Judged by its text.
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("#") and NAMES.search(SHELL_DEFAULT.sub("", line)):
            return number
    return None


def python_line(tree):
    """The first string that names /opt/ml and is neither documentation nor the default of a variable jobs have."""
    ignored = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            ignored.add(id(node.value))
        if isinstance(node, ast.Call) and len(node.args) == 2 and is_variable(node):
            ignored.update(id(inner) for inner in ast.walk(node.args[1]))
    lines = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in ignored
        and NAMES.search(node.value)
    ]
    return min(lines, default=None)


def is_variable(call):
    """`os.environ.get("SM_…", default)` or `os.getenv("SM_…", default)`."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = call.args[0]
    known = isinstance(first, ast.Constant) and isinstance(first.value, str) and GIVEN.match(first.value)
    return name in ("get", "getenv") and bool(known)


class RealOptMl:
    """The machine's /opt/ml as a link to one job's folder, held under a lock until the job has ended.

    The lock is on the folder above, so no lock file remains.
    """

    def __init__(self, ml, path=OPT_ML):
        self.ml, self.path = ml, path
        self.lock = None
        self.replaced_folder = False

    def take(self):
        """True when held, False when another job holds it. Raises OSError with the reason when it cannot be made."""
        lock = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.link()
        except BlockingIOError:
            os.close(lock)
            return False
        except OSError:
            os.close(lock)
            raise
        self.lock = lock
        return True

    def link(self):
        if os.path.islink(self.path):
            target = os.readlink(self.path)
            if os.path.exists(target) and not os.path.exists(os.path.join(os.path.dirname(target), "spec.json")):
                raise FileExistsError(f"{self.path} is a link to {target} that Slipway did not make")
            os.unlink(self.path)  # The rest of a job whose supervisor was killed: a live one would hold the lock.
        elif os.path.isdir(self.path):
            if os.listdir(self.path):
                raise FileExistsError(f"{self.path} is a folder with files of its own")
            os.rmdir(self.path)
            self.replaced_folder = True
        os.symlink(self.ml, self.path)

    def release(self):
        if self.lock is None:
            return
        try:
            if os.path.islink(self.path) and os.readlink(self.path) == self.ml:
                os.unlink(self.path)
                if self.replaced_folder:
                    os.mkdir(self.path)
        finally:
            os.close(self.lock)
            self.lock = None
