"""A Python that has imported what jobs need and does nothing else; it forks supervisors and workers in milliseconds.

It has one thread, loads no model and opens no parallel region: a process that did could not be forked safely (libgomp
hangs in the child). BLAS and OpenMP are loaded with one thread for the same reason. It ends when the server's socket
closes; supervisors live on, workers do not.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["VECLIB_MAXIMUM_THREADS"] = "1"
# Threads that wait sleep: spinning ones take the cores from other jobs (20 times slower on two busy cores).
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import gc
import importlib
import selectors
import signal
import socket
import sys
import time

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The package comes last, so that nothing of a user's is hidden by a name of ours.
sys.path.append(sys.path.pop(0))

from slipway_runtime import frames, limits, supervisor, worker  # noqa: E402

# In this order; the zygote is ready after the first list and imports the rest while it waits.
FIRST = ("numpy", "pandas", "scipy.sparse", "sklearn.base", "xgboost", "slipway_runtime.train", "slipway_runtime.serve")
LATER = (
    "sklearn.linear_model",
    "sklearn.ensemble",
    "sklearn.preprocessing",
    "sklearn.pipeline",
    "sklearn.model_selection",
    "sklearn.datasets",
    "threadpoolctl",
    "boto3",
    "lightgbm",
)
LONGEST_ANSWER_BYTES = 8192


def import_quietly(name):
    """A package that is not there, or cannot be imported, is the job's error, not the zygote's."""
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(f"zygote: {name}: {error!r}", file=sys.stderr, flush=True)


class Zygote:
    def __init__(self, path):
        self.path = path
        self.stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.reader = frames.Reader()
        self.selector = selectors.DefaultSelector()
        self.starting = {}
        self.ended = False

    def run(self):
        started = time.monotonic()
        for name in FIRST:
            import_quietly(name)
        limits.pools.find()
        self.catch_children()
        gc.collect()
        gc.freeze()
        self.stream.connect(self.path)
        self.selector.register(self.stream, selectors.EVENT_READ, self.hear)
        took_ms = round((time.monotonic() - started) * 1000)
        self.send(0, frames.NOTICE, {"role": "zygote", "pid": os.getpid(), "importMs": took_ms})
        later = list(LATER)
        while not self.ended:
            ready = self.selector.select(0 if later else None)
            for key, _ in ready:
                key.data(key.fileobj)
            if not ready and later:
                import_quietly(later.pop(0))
                if not later:
                    limits.pools.find()
                    gc.freeze()

    def catch_children(self):
        read, write = os.pipe()
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.selector.register(read, selectors.EVENT_READ, self.reap)

    def reap(self, descriptor):
        try:
            os.read(descriptor, 4096)
        except BlockingIOError:
            pass
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                self.send(0, frames.NOTICE, {"ended": pid, "code": os.waitstatus_to_exitcode(status)})
        except ChildProcessError:
            pass

    def send(self, frame_id, kind, header):
        try:
            self.stream.sendall(frames.encode(frame_id, kind, header))
        except OSError:
            self.ended = True

    def hear(self, stream):
        try:
            data = stream.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return
        for frame_id, _, header, _ in self.reader.feed(data):
            if header["do"] == "job":
                self.start_job(frame_id, header)
            else:
                self.start_worker(frame_id, header)

    def start_job(self, frame_id, header):
        read, write = os.pipe()
        if os.fork() == 0:
            supervisor.run(header["root"], write)
        os.close(write)
        self.starting[read] = frame_id
        self.selector.register(read, selectors.EVENT_READ, self.job_started)

    def job_started(self, descriptor):
        word = os.read(descriptor, LONGEST_ANSWER_BYTES).decode("utf-8", "replace").strip()
        self.selector.unregister(descriptor)
        os.close(descriptor)
        frame_id = self.starting.pop(descriptor)
        self.send(frame_id, frames.ANSWER, {"state": word or "failed the supervisor ended without a word"})

    def start_worker(self, frame_id, header):
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            worker.run(self.path, header, parent)
        self.send(frame_id, frames.ANSWER, {"pid": pid})


if __name__ == "__main__":
    Zygote(sys.argv[1]).run()
