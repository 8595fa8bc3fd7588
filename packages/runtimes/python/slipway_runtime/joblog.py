"""A job's log file: written by the job itself, watched and capped by its supervisor.

`<log>.index` gets a line `<ms since the epoch> <size of the log>` whenever the log has grown, so that a reader can tell
when each line was printed. Past the cap the head is kept, the last lines are kept at the end, and a line between them
says how much was dropped.
"""

import os
import time

TAIL_BYTES = 64 * 1024
LEAST_CAP_BYTES = 4 * TAIL_BYTES


class JobLog:
    def __init__(self, path, cap_bytes):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self.descriptor = os.open(path, flags, 0o600)
        self.index = os.open(path + ".index", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.cap_bytes = max(cap_bytes, LEAST_CAP_BYTES)
        self.seen_bytes = 0
        self.dropped_bytes = 0
        self.tail = b""
        self.is_over = False

    def poll(self):
        """Notes growth and cuts what is over the cap. Returns the seconds until the next look is due."""
        size = os.fstat(self.descriptor).st_size
        if size > self.cap_bytes:
            self.cut(size)
            return 0.01
        if size != self.seen_bytes:
            self.seen_bytes = size
            self.note(size)
        return 0.02 if size > self.cap_bytes // 4 else 0.1

    def note(self, size):
        try:
            os.write(self.index, b"%d %d\n" % (time.time() * 1000, size))
        except OSError:
            pass  # A full disk: times are lost, lines are not.

    def cut(self, size):
        """The job goes on writing while this runs; what it writes between the two calls is dropped uncounted."""
        start = max(self.cap_bytes, size - TAIL_BYTES)
        self.tail = (self.tail + os.pread(self.descriptor, TAIL_BYTES, start))[-TAIL_BYTES:]
        size = os.fstat(self.descriptor).st_size
        os.ftruncate(self.descriptor, self.cap_bytes)
        self.dropped_bytes += size - self.cap_bytes
        if not self.is_over:
            self.is_over = True
            self.seen_bytes = self.cap_bytes
            self.note(self.cap_bytes)

    def finish(self):
        """After the last process of the job: the last lines and the note of what was dropped."""
        size = os.fstat(self.descriptor).st_size
        if size > self.cap_bytes:
            self.cut(size)
        if self.is_over:
            kept = self.tail[self.tail.find(b"\n") + 1 :]
            dropped = self.dropped_bytes - len(kept)
            note = f"\n[slipway] {dropped} bytes dropped: the log is capped at {self.cap_bytes} bytes\n"
            self.say(note.encode() + kept)
        size = os.fstat(self.descriptor).st_size
        if size > 0 and os.pread(self.descriptor, 1, size - 1) != b"\n":
            # Readers hold a line back until it is complete, and no more will come.
            self.say(b"\n")
            size += 1
        if size != self.seen_bytes:
            self.note(size)

    def say(self, line):
        try:
            os.write(self.descriptor, line)
        except OSError:
            pass
