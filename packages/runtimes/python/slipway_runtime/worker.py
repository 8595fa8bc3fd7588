"""An inference worker: forked by the zygote, it loads models and answers the server's requests, one at a time.

It dies with the zygote, and the zygote with the server. What the user's code prints goes to the worker's log file, what
it raises becomes a status, so the stream carries frames only.
"""

import gc
import json
import os
import socket
import sys
import time
import traceback

from slipway_runtime import context, frames, job, layers, limits, namespace, script

LARGEST_LOG_BYTES = 64 * 1024 * 1024
# Answers that are ready wait for the next one of their batch at most so long.
LONGEST_HOLD_S = 0.002


def run(path, header, parent_pid):
    """Runs a worker in this freshly forked process and never returns. `path` is the server's socket."""
    code = 70
    try:
        limits.default_signals()
        os.setsid()
        limits.die_with_parent(parent_pid)
        limits.no_core_files()
        job.take_streams(open_log(header["log"]))
        limits.close_descriptors([])
        os.umask(0o077)
        gc.enable()
        code = prepare_and_serve(path, header)
    except SystemExit as leaving:
        code = script.code_of(leaving)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        script.flush()
        os._exit(code)


def open_log(path):
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def prepare_and_serve(path, header):
    root = header["root"]
    ml = os.path.join(root, "ml")
    for folder in ("ml/model", "home", "tmp", "work"):
        os.makedirs(os.path.join(root, folder), mode=0o700, exist_ok=True)
    model_folder, isolation = mount_model(header, root, ml)
    shared = header["environmentFolder"]
    own = os.path.join(root, "python")
    python = context.make_python(own, [context.library_folder(shared)])
    sys.path.insert(0, context.library_folder(own))
    zygote_environment = dict(os.environ)
    context.current = context.Context(
        root=root,
        ml=ml,
        isolation=isolation,
        environment=shared,
        layers=header["layersFolder"],
        pip_environment=zygote_environment,
        python=python,
    )
    sys.executable = python
    job.set_environment({**header, "root": root, "ml": ml}, zygote_environment, isolation)
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    os.chdir(os.path.join(root, "work"))
    limits.fresh_random_numbers()
    replaced = layers.install_for(os.path.join(model_folder, "code")) if model_folder else []
    if replaced:
        start_afresh(python, path, header, model_folder)
    return serve(path, header, model_folder)


def mount_model(header, root, ml):
    """The model at /opt/ml/model where namespaces allow it, else where it lies."""
    folder = header.get("modelFolder")
    if header["isolation"] != "folder":
        try:
            binds = [(folder, os.path.join(ml, "model"))] if folder else []
            namespace.enter(root, ml, binds)
            return ("/opt/ml/model" if folder else None), "namespace"
        except namespace.Unavailable:
            pass
    return folder, "folder"


def start_afresh(python, path, header, model_folder):
    """The requirements replace packages that the zygote imported: only a new interpreter sees the new ones."""
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    code = f"import sys; sys.path.append({home!r}); from slipway_runtime import worker; worker.main()"
    script.flush()
    os.execv(python, [python, "-c", code, path, json.dumps(header), model_folder or ""])


def main():
    path, header, model_folder = sys.argv[1:4]
    sys.exit(serve(path, json.loads(header), model_folder or None))


def serve(path, header, model_folder):
    from slipway_runtime.serve import ModelServer

    model_server = ModelServer(header["framework"], header["version"], dict(os.environ), model_folder)
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.connect(path)
    hello = {"role": "worker", "id": header["id"], "pid": os.getpid()}
    stream.sendall(frames.encode(0, frames.NOTICE, hello))
    Loop(stream, model_server).run()
    return 0


class Loop:
    def __init__(self, stream, model_server):
        self.stream, self.model_server = stream, model_server
        self.reader = frames.Reader()
        self.ready = []
        self.log_is_full = False

    def run(self):
        """Takes every whole frame that has arrived, answers each, and writes the answers together."""
        while True:
            data = self.stream.recv(1 << 20)
            if not data:
                return
            held_since = time.monotonic()
            for frame_id, _, header, body in self.reader.feed(data):
                self.ready.append(self.answer(frame_id, header, body))
                if time.monotonic() - held_since > LONGEST_HOLD_S:
                    self.write()
            self.write()
            self.cap_log()

    def write(self):
        if self.ready:
            self.stream.sendall(b"".join(self.ready))
            self.ready.clear()

    def answer(self, frame_id, header, body):
        try:
            answer, result = self.handle(header, body)
            return frames.encode(frame_id, frames.ANSWER, answer, result)
        except frames.BadFrame as error:
            return frames.encode(frame_id, frames.ANSWER, {"status": 500, "contentType": "text/plain"}, str(error).encode())
        except BaseException as error:
            if isinstance(error, SystemExit):
                raise
            traceback.print_exc()
            failed = {"status": 500, "message": f"{type(error).__name__}: {error}"[:1024], "contentType": "text/plain"}
            return frames.encode(frame_id, frames.ANSWER, failed, failed["message"].encode())

    def handle(self, header, body):
        work = header["do"]
        if work == "invoke":
            status, content_type, result = self.model_server.invoke(
                header.get("model"), body, header["contentType"], header["accept"], header.get("headers", {})
            )
            return {"status": status, "contentType": content_type}, bytes(result)
        if work == "ping":
            healthy = self.model_server.ping()
            return {"status": 200 if healthy else 500, "message": str(self.model_server.why_not or "")[:1024]}, b""
        if work == "load":
            status, message = self.model_server.load(header["model"], header["folder"])
        elif work == "unload":
            status, message = self.model_server.unload(header["model"])
        else:
            status, message = 501, f"a worker does not know {work}"
        return {"status": status, "message": str(message)}, b""

    def cap_log(self):
        """Past the cap the log keeps its head and says that the rest is dropped."""
        if self.log_is_full:
            return
        size = os.fstat(1).st_size
        if size > LARGEST_LOG_BYTES:
            self.log_is_full = True
            os.ftruncate(1, LARGEST_LOG_BYTES)
            note = f"\n[slipway] what follows is dropped: the log is capped at {LARGEST_LOG_BYTES} bytes\n"
            os.write(1, note.encode())
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 1)
            os.dup2(nothing, 2)
            os.close(nothing)
