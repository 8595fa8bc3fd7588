"""Owns one job: forked by the zygote, it outlives the zygote and the server.

Exactly one: the supervisor holds `supervisor.lock` for its life, and writes `started` before it forks the job. A second
supervisor of the same id finds the lock held and leaves; one that finds the lock free and `started` present knows that
the first was killed, and says `lost`. Without `started` no work was begun, so it begins.

Proof of life is the socket: it answers with the job's id, and is bound before `started` is written. The result is
`exit.json`, written by rename before the socket closes.
"""

import fcntl
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time

from slipway_runtime import job, limits, opt_ml, processes
from slipway_runtime.joblog import JobLog

MESSAGE_CHARACTERS = 1024
EXIT_FILE_BYTES = 8192
MEMORY_LOOK_S = 0.5
LONGEST_LINE_BYTES = 4096
DEFAULT_MEMORY_SHARE = 0.8


class AlreadyEnded(Exception):
    """The job has an exit file, or now got one that says it was lost."""


class AlreadyRuns(Exception):
    """Another supervisor holds this job's lock."""


def run(root, notify):
    """Runs in a process that the zygote has just forked; never returns. `notify` gets one word for the server."""
    code = 0
    try:
        os.setsid()
        limits.default_signals()
        gc.disable()
        detach(root, notify)
        Supervisor(root, notify).run()
    except AlreadyRuns:
        tell(notify, "running")
    except AlreadyEnded:
        tell(notify, "ended")
    except BaseException as error:
        code = 70
        import traceback

        traceback.print_exc()
        tell(notify, f"failed {error}")
    finally:
        os._exit(code)


def detach(root, notify):
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(os.path.join(root, "supervisor.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    limits.close_descriptors([notify])
    sys.stdout = open(1, "w", 1, closefd=False)
    sys.stderr = open(2, "w", 1, closefd=False)


def tell(notify, word):
    try:
        os.write(notify, word.encode()[:4000] + b"\n")
        os.close(notify)
    except OSError:
        pass  # The zygote is gone; the server finds the socket.


def write_exit(root, fields):
    """Overwrites the space that was reserved at the start, so that a full disk cannot lose the result."""
    path = os.path.join(root, "exit.json")
    with open(path + ".new", "r+b" if os.path.exists(path + ".new") else "wb") as file:
        file.write(json.dumps(fields).encode())
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)


def now_ms():
    return int(time.time() * 1000)


class Supervisor:
    def __init__(self, root, notify):
        self.root, self.notify = root, notify
        with open(os.path.join(root, "spec.json"), encoding="utf-8") as file:
            self.spec = json.load(file)
        self.selector = selectors.DefaultSelector()
        self.pid = 0
        self.status = None
        self.started_at = None
        self.reason = None
        self.explanation = None
        self.kill_at = None
        self.real = None
        self.wanted = None
        self.lines = {}

    def run(self):
        self.lock()
        self.log = JobLog(self.spec["log"], self.spec["logCapBytes"])
        self.listen()
        self.catch_signals()
        limits.adopt_orphans()
        self.kills_before = processes.kernel_kills()
        self.claim()
        self.fork()
        tell(self.notify, "started")
        self.watch()
        self.finish()

    def path(self, name):
        return os.path.join(self.root, name)

    def lock(self):
        # Inherited by nobody: the job closes it, so the lock tells of this process alone.
        self.lock_file = os.open(self.path("supervisor.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self.lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRuns() from None
        if os.path.exists(self.path("exit.json")):
            raise AlreadyEnded()
        if os.path.exists(self.path("started")):
            explanation = "the process that supervised the job was killed, and the job with it"
            write_exit(self.root, {"reason": "lost", "endedAt": now_ms(), "explanation": explanation})
            raise AlreadyEnded()

    def listen(self):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.unlink(self.spec["socket"])
        except FileNotFoundError:
            pass
        self.listener.bind(self.spec["socket"])
        self.listener.listen(511)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)

    def catch_signals(self):
        read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if hasattr(os, "pipe2") else os.pipe()
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        self.wake_pipe = (read, write)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self.interrupt())
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)
        self.selector.register(read, selectors.EVENT_READ, self.drain)

    def drain(self, descriptor):
        try:
            os.read(descriptor, 4096)
        except BlockingIOError:
            pass

    def interrupt(self):
        self.end("lost", "the machine asked the job's supervisor to end (SIGTERM)", 5)

    def claim(self):
        with open(self.path("exit.json.new"), "wb") as file:
            file.write(b" " * EXIT_FILE_BYTES)
        os.close(os.open(self.path("started"), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def fork(self):
        mine, theirs = socket.socketpair()
        parent = os.getpid()
        self.deadline = time.monotonic() + self.spec["deadlineMs"] / 1000
        self.started_at = now_ms()
        pid = os.fork()
        if pid == 0:
            job.run(self.spec, theirs, self.log.descriptor, parent)
        theirs.close()
        self.pid = pid
        identity = {"pid": pid, "startTicks": processes.start_ticks(pid), "supervisor": parent}
        with open(self.path("process.json"), "w", encoding="utf-8") as file:
            json.dump(identity, file)
        mine.setblocking(False)
        self.control = mine
        self.selector.register(mine, selectors.EVENT_READ, self.hear_job)

    def accept(self, listener):
        try:
            stream, _ = listener.accept()
        except OSError:
            return
        stream.setblocking(False)
        hello = {"id": self.spec["id"], "pid": os.getpid(), "job": self.pid, "startedAt": self.started_at}
        self.send(stream, hello)
        self.selector.register(stream, selectors.EVENT_READ, self.hear_server)

    def send(self, stream, message):
        try:
            stream.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            pass

    def hear(self, stream):
        """Whole lines that arrived; None when the peer is gone."""
        try:
            data = stream.recv(4096)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        waiting = self.lines.pop(stream, b"") + data
        if not data or len(waiting) > LONGEST_LINE_BYTES:
            self.selector.unregister(stream)
            stream.close()
            return None
        *whole, rest = waiting.split(b"\n")
        self.lines[stream] = rest
        return [json.loads(line) for line in whole if line]

    def hear_server(self, stream):
        for message in self.hear(stream) or []:
            if "stop" in message:
                self.end("stopped", None, message["stop"] / 1000)

    def hear_job(self, stream):
        for message in self.hear(stream) or []:
            if "isolation" in message:
                self.write_isolation(message)
                if message["isolation"] == "refused":
                    self.reason = "refused"
                    self.explanation = f"this machine has no mount namespaces for it: {message['why']}"
                self.send(stream, {"go": self.reason is None})
            elif message.get("needs") == "opt_ml":
                self.wanted = message["where"]
                self.real = self.real or opt_ml.RealOptMl(self.spec["ml"])
                self.grant_opt_ml()

    def write_isolation(self, message):
        with open(self.path("isolation.json"), "w", encoding="utf-8") as file:
            json.dump(message, file)

    def grant_opt_ml(self):
        if self.real.lock is not None:
            self.wanted = None
            self.send(self.control, {"granted": True})
            return
        try:
            if self.real.take():
                self.wanted = None
                self.send(self.control, {"granted": True})
        except OSError as error:
            reason = error.strerror or str(error)
            self.reason = "refused"
            self.explanation = (
                f"{self.wanted} names /opt/ml, which this machine cannot give to the job ({reason}). Read the path from "
                "SM_MODEL_DIR, SM_CHANNEL_… or SAGEMAKER_BASE_DIR, or run where mount namespaces are allowed"
            )
            self.wanted = None
            self.send(self.control, {"granted": False, "explanation": self.explanation})

    def end(self, reason, explanation, grace_s):
        """SIGTERM now, SIGKILL after the grace. The first reason stands; a shorter grace shortens the wait."""
        if self.reason is None:
            self.reason, self.explanation = reason, explanation
            processes.signal_group(self.pid, signal.SIGTERM)
        at = time.monotonic() + grace_s
        self.kill_at = at if self.kill_at is None else min(self.kill_at, at)

    def watch(self):
        memory_at = 0.0
        limit = self.spec["memoryCapBytes"] or int(limits.memory_bytes() * DEFAULT_MEMORY_SHARE)
        while self.status is None:
            now = time.monotonic()
            wait = self.log.poll()
            if now >= self.deadline and self.reason is None:
                seconds = self.spec["deadlineMs"] / 1000
                self.end("deadline", f"it ran for longer than {seconds:g} s", self.spec["deadlineGraceMs"] / 1000)
            if self.kill_at is not None and now >= self.kill_at:
                processes.signal_group(self.pid, signal.SIGKILL)
            if limit and now >= memory_at:
                memory_at = now + MEMORY_LOOK_S
                self.look_at_memory(limit)
            if self.wanted:
                self.grant_opt_ml()
            until = [wait, self.deadline - now if self.reason is None else wait]
            until.append(self.kill_at - now if self.kill_at is not None else wait)
            for key, _ in self.selector.select(max(0.001, min(until))):
                key.data(key.fileobj)
            self.reap()

    def look_at_memory(self, limit):
        used = processes.resident_bytes(processes.family(self.pid))
        if used > limit and self.reason is None:
            self.reason = "out-of-memory"
            self.explanation = f"it used {used >> 20} MB, over the limit of {limit >> 20} MB for one job"
            processes.signal_group(self.pid, signal.SIGKILL)

    def reap(self):
        """Collects every child that ended: the job, and orphans of the job that came to this subreaper."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.pid:
                    self.status = status
        except ChildProcessError:
            pass

    def finish(self):
        left = processes.end_all(self.pid)
        self.log.finish()
        result = self.result()
        if left:
            result["explanation"] = f"{left} processes of the job could not be ended"
        self.keep(result)
        if self.real is not None:
            self.real.release()
        try:
            os.unlink(self.spec["socket"])
        except OSError:
            pass
        # Before this process ends, because the kernel first takes down its memory, which lasts longer than all of this.
        for key in list(self.selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()

    def result(self):
        code = os.waitstatus_to_exitcode(self.status)
        result = {"reason": "exited", "startedAt": self.started_at, "endedAt": now_ms()}
        if code >= 0:
            result["exitCode"] = code
        else:
            result.update(reason="signaled", signal=signal.Signals(-code).name)
        kills = processes.kernel_kills()
        if code == -signal.SIGKILL and self.reason is None and kills > self.kills_before >= 0:
            self.reason, self.explanation = "out-of-memory", "the kernel killed it for memory"
        if self.reason is not None:
            result["reason"] = self.reason
        if self.explanation is not None:
            result["explanation"] = self.explanation
        message = self.message()
        if message:
            result["message"] = message
        return result

    def message(self):
        """What the job says about its end; a link or a device in its place is not followed."""
        name = "failure" if self.spec["mode"] == "train" else "message"
        path = os.path.join(self.spec["ml"], "output", name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, encoding="utf-8", errors="replace") as file:
                return file.read(MESSAGE_CHARACTERS)
        except OSError:
            return ""

    def keep(self, result):
        """The result is not given up: as long as the disk does not take it, this process stays and tries again."""
        while True:
            try:
                return write_exit(self.root, result)
            except FileNotFoundError:
                return None  # The job's folder was deleted; nobody asks any more.
            except OSError as error:
                print(f"exit.json: {error}", file=sys.stderr)
                time.sleep(0.5)
