"""Makes the Python environment of jobs, with the standard library only; runs in the user's own Python.

    python build_environment.py '{"folder": ..., "requirements": ..., "uv": null, "expectedBytes": 104000000}'

prints one JSON object a line: progress (`phase`, `message`, `doneBytes`, `totalBytes`, `fraction`, `leftMs`), then either
`{"phase": "done", "reused": bool}` or `{"phase": "failed", "code": ..., "message": ...}`.

An environment is built in its final place, since a virtual environment's scripts hold their own path. What makes it whole
is the file `complete.json`; a folder without one is the rest of a build that was killed, and is removed. A lock that the
installers inherit keeps two builders apart, also when one of them is killed and leaves its installer running.
"""

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time

# Shares of the whole time, measured on two cores: downloading, unpacking, compiling.
DOWNLOAD_SHARE, INSTALL_SHARE = 0.55, 0.85
LONGEST_WAIT_S = 3600
KEPT_LINES = 60


class BuildFailed(Exception):
    """Carries a code for programs and a sentence with the command to run for people."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def say(**fields):
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


class Progress:
    def __init__(self, total_bytes):
        self.total_bytes = total_bytes
        self.started = time.monotonic()

    def report(self, phase, message, fraction, done_bytes=None):
        elapsed = time.monotonic() - self.started
        fields = {"phase": phase, "message": message, "fraction": round(fraction, 3)}
        if done_bytes is not None:
            fields.update(doneBytes=min(done_bytes, self.total_bytes), totalBytes=self.total_bytes)
        if fraction > 0.05 and elapsed > 2:
            fields["leftMs"] = int(elapsed * (1 - fraction) / fraction * 1000)
        say(**fields)


def take_lock(path):
    """Returns an inheritable descriptor that holds the lock until the last process that has it ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + LONGEST_WAIT_S
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if not told:
                say(phase="waiting", message="another process is making the same Python environment; waiting for it")
                told = True
            if time.monotonic() > deadline:
                raise BuildFailed("locked", f"another process has held {path} for an hour; end it and try again")
            time.sleep(0.1)


def temporary_bytes(folder):
    """Bytes of the files that pip has downloaded so far: it keeps each in a folder of its own under TMPDIR."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(path, name)).st_size
            except OSError:
                pass  # It was moved away meanwhile.
    return total


def run(arguments, environment, lock, on_tick):
    """Runs an installer that shares the lock; returns (exit code, its last lines)."""
    process = subprocess.Popen(
        arguments,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[lock],
    )
    lines, rest = [], b""
    try:
        while True:
            ready, _, _ = select.select([process.stdout], [], [], 0.5)
            if ready:
                chunk = os.read(process.stdout.fileno(), 65536)
                if not chunk:
                    break
                *whole, rest = (rest + chunk).split(b"\n")
                lines = (lines + [line.decode("utf-8", "replace").rstrip() for line in whole])[-KEPT_LINES:]
            on_tick(lines)
    except BaseException:
        process.kill()
        raise
    finally:
        process.wait()
    if rest:
        lines.append(rest.decode("utf-8", "replace"))
    return process.returncode, lines


def explain(lines, folder, what):
    """Turns an installer's last lines into one of the failures that a person can do something about."""
    text = "\n".join(lines)
    low = text.lower()
    if "no space left on device" in low or "disk quota exceeded" in low or "errno 28" in low:
        free = shutil.disk_usage(os.path.dirname(folder)).free // 1_000_000
        return BuildFailed(
            "disk-full",
            f"the disk is full: {free} MB are free at {os.path.dirname(folder)} and about 700 MB are needed. "
            "Free some space or choose another cache folder, then run the command again",
        )
    signs = (
        "temporary failure in name resolution",
        "failed to establish a new connection",
        "network is unreachable",
        "name or service not known",
        "connection refused",
        "dns error",
        "read timed out",
        "error sending request",
        "nodename nor servname",
        "proxyerror",
    )
    if any(sign in low for sign in signs):
        return BuildFailed(
            "no-network",
            "the Python packages could not be downloaded: no package index answers. Check the network or pip's "
            f"configuration (`{sys.executable} -m pip download six` must work), then run the command again",
        )
    tail = "\n".join(line for line in lines[-12:] if line.strip())
    return BuildFailed("install-failed", f"{what} failed:\n{tail}")


def make_virtual_environment(folder, uv, lock, progress):
    progress.report("creating", "making a virtual environment", 0.0)
    if uv:
        command = [uv, "venv", "--quiet", "--seed", "--python", sys.executable, folder]
    else:
        try:
            import ensurepip  # noqa: F401  Debian leaves it out of its python3 package.
        except ImportError:
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            raise BuildFailed(
                "no-venv",
                f"{sys.executable} cannot make virtual environments (no ensurepip). "
                f"Run `sudo apt-get install python{version}-venv`, then the command again",
            ) from None
        command = [sys.executable, "-m", "venv", folder]
    code, lines = run(command, dict(os.environ), lock, lambda _: None)
    if code != 0:
        raise explain(lines, folder, "making a virtual environment")


def install(folder, requirements, uv, lock, progress):
    python = os.path.join(folder, "bin", "python")
    temporary = os.path.join(folder, "tmp")
    os.mkdir(temporary)
    environment = dict(os.environ, TMPDIR=temporary, PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    environment.pop("PYTHONPATH", None)
    if uv:
        command = [uv, "pip", "install", "--python", python, "-r", requirements]
    else:
        command = [python, "-m", "pip", "install", "--no-compile", "--progress-bar", "off", "--retries", "2"]
        command += ["--require-virtualenv", "-r", requirements]
    told = [0.0]

    def tick(lines):
        now = time.monotonic()
        if now - told[0] < 0.4:
            return
        told[0] = now
        if any(line.startswith("Installing collected packages") for line in lines[-3:]):
            progress.report("installing", "unpacking the packages", DOWNLOAD_SHARE)
            return
        done = temporary_bytes(temporary)
        last = next((line.strip() for line in reversed(lines) if "ownloading" in line or "ollecting" in line), "")
        share = DOWNLOAD_SHARE * min(1.0, done / max(1, progress.total_bytes))
        progress.report("downloading", last[:120] or "asking for the packages", share, done)

    code, lines = run(command, environment, lock, tick)
    if code != 0:
        raise explain(lines, folder, "installing the Python packages")
    shutil.rmtree(temporary, ignore_errors=True)


def compile_modules(folder, lock, progress):
    """Compiled files make the first import four times as quick; tests inside the packages are left out."""
    progress.report("compiling", "compiling the packages", INSTALL_SHARE)
    python = os.path.join(folder, "bin", "python")
    library = os.path.join(folder, "lib")
    command = [python, "-m", "compileall", "-q", "-q", "-j", "0", "-x", r"/tests?/|/lib2to3/", library]
    run(command, dict(os.environ), lock, lambda _: None)


def installed_versions(python):
    script = (
        "import importlib.metadata as m, json; "
        "print(json.dumps({d.metadata['Name'].lower(): d.version for d in m.distributions()}))"
    )
    return json.loads(subprocess.run([python, "-I", "-c", script], check=True, capture_output=True).stdout)


def write_marker(folder, fields):
    path = os.path.join(folder, "complete.json")
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(fields, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)


def build(options):
    folder, requirements, uv = options["folder"], options["requirements"], options.get("uv")
    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
    lock = take_lock(folder + ".lock")
    if os.path.exists(os.path.join(folder, "complete.json")):
        return say(phase="done", reused=True)
    progress = Progress(options["expectedBytes"])
    if os.path.exists(folder):
        progress.report("cleaning", "removing the rest of a build that did not finish", 0.0)
        shutil.rmtree(folder)
    try:
        make_virtual_environment(folder, uv, lock, progress)
        install(folder, requirements, uv, lock, progress)
    except BuildFailed:
        shutil.rmtree(folder, ignore_errors=True)  # A full disk gets its room back.
        raise
    compile_modules(folder, lock, progress)
    python = os.path.join(folder, "bin", "python")
    marker = {
        "basePython": os.path.realpath(sys.executable),
        "pythonVersion": "%d.%d.%d" % sys.version_info[:3],
        "versions": installed_versions(python),
        "sizeBytes": temporary_bytes(folder),
        "tookMs": int((time.monotonic() - progress.started) * 1000),
    }
    write_marker(folder, marker)
    return say(phase="done", reused=False)


def main():
    options = json.loads(sys.argv[1])
    try:
        build(options)
    except BuildFailed as failure:
        say(phase="failed", code=failure.code, message=str(failure))
        return 1
    except BrokenPipeError:
        return 1  # Whoever asked is gone; the next one cleans up.
    except OSError as error:
        failure = explain([str(error)], options["folder"], "making the Python environment")
        say(phase="failed", code=failure.code, message=str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
