"""A job's `requirements.txt`: installed once into a folder of its own, on top of the shared environment, then reused.

A layer is a small virtual environment that sees the shared packages, so pip installs only what is missing or has another
version. The shared environment never changes.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

from slipway_runtime import context

NAME = "requirements.txt"
LARGEST_FILE_BYTES = 1_000_000
# A line that points at other files: its content is not in the file's hash, so such a layer is never kept.
LOCAL_LINE = re.compile(r"^\s*(-r|-c|-e|--requirement|--constraint|--editable|\.|/|file:)|@\s*file:", re.MULTILINE)


class LayerFailed(Exception):
    """The requirements could not be installed; the sentence says why and where to look."""


def install_for(folder):
    """Installs `<folder>/requirements.txt`, if there is one, and puts it first on the path of this process.

    Returns the names of modules that this process imported before in another version; the caller must then run the
    script in a fresh interpreter.
    """
    path = os.path.join(folder, NAME)
    job = context.current
    if job is None or not os.path.isfile(path):
        return []
    if os.path.getsize(path) > LARGEST_FILE_BYTES:
        raise LayerFailed(f"{path} is over {LARGEST_FILE_BYTES} bytes")
    with open(path, "rb") as file:
        content = file.read()
    if not re.search(rb"^\s*[^#\s]", content, re.MULTILINE):
        return []
    shared = context.library_folder(job.environment)
    if LOCAL_LINE.search(content.decode("utf-8", "replace")):
        install(job.python, path, job.pip_environment, ())
        library = context.library_folder(os.path.dirname(os.path.dirname(job.python)))
    else:
        library = ensure_layer(job, path, content, shared)
        own = os.path.dirname(os.path.dirname(job.python))
        context.see_libraries(own, [library, shared])
    if library in sys.path:
        sys.path.remove(library)
    sys.path.insert(0, library)
    return replaced_modules(library)


def ensure_layer(job, path, content, shared):
    key = hashlib.sha256(content + b"\0" + job.environment.encode()).hexdigest()[:16]
    folder = os.path.join(job.layers, key)
    marker = os.path.join(folder, "complete.json")
    os.makedirs(job.layers, mode=0o700, exist_ok=True)
    lock = os.open(folder + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(marker):
            shutil.rmtree(folder, ignore_errors=True)
            python = context.make_python(folder, [shared])
            install(python, path, job.pip_environment, [lock])
            context.write(marker, json.dumps({"requirements": content.decode("utf-8", "replace")}))
    finally:
        os.close(lock)
    return context.library_folder(folder)


def install(python, path, environment, descriptors):
    command = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    print(f"[slipway] installing {path}", flush=True)
    done = subprocess.run([*command, "-r", path], env=environment, stdin=subprocess.DEVNULL, pass_fds=descriptors)
    if done.returncode != 0:
        raise LayerFailed(
            f"{NAME} could not be installed: pip ended with code {done.returncode}, its messages are above"
        )


def replaced_modules(library):
    names = {name.split(".")[0] for name in os.listdir(library) if not name.endswith((".dist-info", ".pth"))}
    loaded = []
    for name in sorted(names):
        module = sys.modules.get(name)
        where = getattr(module, "__file__", None) or ""
        if module is not None and not where.startswith(library + os.sep):
            loaded.append(name)
    return loaded
