"""The job's own process: forked by its supervisor, it arranges what a container would have and runs the work."""

import gc
import json
import os
import signal
import sys
import traceback

from slipway_runtime import context, layers, limits, namespace, opt_ml, script

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Of the zygote's variables a job sees these: how to reach a package index, never who its user is.
PASSED = ("LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT", "PIP_FIND_LINKS")
PYTHONS = ("python", "python3")


def run(spec, control, log, supervisor_pid):
    """Runs the job in this forked process and never returns. `control` is the socket to the supervisor."""
    code = 70
    try:
        limits.default_signals()
        os.setsid()
        limits.die_with_parent(supervisor_pid)
        limits.no_core_files()
        take_streams(log)
        limits.close_descriptors([control.fileno()])
        os.umask(0o022)
        gc.enable()
        prepare(spec, control)
        code = work(spec)
    except SystemExit as leaving:
        code = script.code_of(leaving)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        script.flush()
        os._exit(code)


def take_streams(log):
    """The log file is the job's stdout and stderr, never a pipe: nothing the job prints waits for a reader."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    # As with PYTHONUNBUFFERED in SageMaker's images, so that the lines of both are in order.
    sys.stdout = sys.__stdout__ = open(1, "w", 1, "utf-8", "backslashreplace", closefd=False)
    sys.stderr = sys.__stderr__ = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)


def prepare(spec, control):
    root, ml = spec["root"], spec["ml"]
    zygote_environment = dict(os.environ)
    isolation = isolate(spec)
    control.sendall(json.dumps({"isolation": isolation[0], "why": isolation[1]}).encode() + b"\n")
    go = json.loads(opt_ml.read_line(control) or "{}")
    if not go.get("go"):
        os._exit(opt_ml.REFUSED_CODE)
    for name in ("home", "work", "tmp"):
        os.makedirs(os.path.join(root, name), mode=0o700, exist_ok=True)
    shared = spec["environmentFolder"]
    own = os.path.join(root, "python")
    python = context.make_python(own, [context.library_folder(shared)])
    context.current = context.Context(
        root=root,
        ml=ml,
        isolation=isolation[0],
        environment=shared,
        layers=spec["layersFolder"],
        pip_environment=zygote_environment,
        control=control,
        python=python,
    )
    sys.path.insert(0, context.library_folder(own))
    sys.executable = python
    set_environment(spec, zygote_environment, isolation[0])
    os.chdir(os.path.join(root, "work"))
    limits.fresh_random_numbers()
    limits.pools.allow(limits.processors())


def isolate(spec):
    if spec["isolation"] == "folder":
        return "folder", "as configured"
    try:
        namespace.enter(spec["root"], spec["ml"])
        return "namespace", ""
    except namespace.Unavailable as reason:
        # Whoever asks for a namespace by name does not want to run without one.
        return ("refused" if spec["isolation"] == "namespace" else "folder"), str(reason)


def set_environment(spec, zygote_environment, isolation):
    """A clean environment: what the container would have, then what the job was given."""
    root, ml = spec["root"], spec["ml"]
    binaries = [os.path.join(root, "python", "bin"), os.path.join(spec["environmentFolder"], "bin"), PATH]
    variables = {name: zygote_environment[name] for name in PASSED if name in zygote_environment}
    variables.setdefault("LANG", "C.UTF-8")
    variables.update(
        PATH=os.pathsep.join(binaries),
        HOME=os.path.join(root, "home"),
        TMPDIR=os.path.join(root, "tmp"),
        TZ="UTC",
        PYTHONUNBUFFERED="1",
        OMP_WAIT_POLICY="PASSIVE",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
    )
    given = dict(spec["environment"])
    if isolation == "folder":
        given = {name: inside(value, ml) for name, value in given.items()}
        variables["SAGEMAKER_BASE_DIR"] = ml
    variables.update(given)
    os.environ.clear()
    os.environ.update(variables)


def inside(value, ml):
    """A value that is a path below /opt/ml, or `--name=` such a path, moved into the job's folder."""
    head, equals, tail = value.rpartition("=")
    if tail == opt_ml.OPT_ML or tail.startswith(opt_ml.OPT_ML + "/"):
        return head + equals + ml + tail[len(opt_ml.OPT_ML) :]
    return value


def work(spec):
    if spec["mode"] == "train":
        from slipway_runtime import train

        return train.main(spec["framework"], spec["version"])
    return process(list(spec["command"]))


def process(command):
    """A processing container's entrypoint: a Python script runs here, warm; anything else replaces this process."""
    job = context.current
    if job.isolation == "folder":
        command = [inside(word, job.ml) for word in command]
    if os.path.basename(command[0]) in PYTHONS and len(command) > 1 and command[1].endswith(".py"):
        return script.run_script(command[1], command[2:], os.getcwd())
    files = [word for word in command if os.path.isfile(word)]
    opt_ml.require(os.path.dirname(files[-1]) if files else "", files)
    script.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # As programs expect; Python alone ignores it.
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"exec: {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        return 127 if isinstance(error, FileNotFoundError) else 126
