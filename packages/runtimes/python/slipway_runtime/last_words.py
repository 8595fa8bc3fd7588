"""Keeps the end of what a program writes to stderr, and finds in it why the program failed and where."""

import os
import re
import sys

KEPT_CHARACTERS = 16_384
FRAME = re.compile(r'^\s+File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)
TRACEBACK = "Traceback (most recent call last):"
LONGEST_MESSAGE = 600


class Tee:
    """Stands for sys.stderr: passes everything on and remembers the end of it."""

    def __init__(self, stream):
        self.stream, self.kept = stream, ""

    def write(self, text):
        self.kept = (self.kept + text)[-KEPT_CHARACTERS:]
        return self.stream.write(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def __getattr__(self, name):
        return getattr(self.stream, name)


class Listening:
    """`with Listening() as heard:` and afterwards `heard.text()`.

    What a child process wrote goes past Python's stream; where stderr is a log file its end is read from there.
    """

    def __enter__(self):
        self.stream, self.tee = sys.stderr, Tee(sys.stderr)
        self.start = log_size()
        sys.stderr = self.tee
        return self

    def __exit__(self, *_):
        if sys.stderr is self.tee:
            sys.stderr = self.stream

    def text(self):
        return self.tee.kept if self.tee.kept.strip() else log_end(self.start)


def log_size():
    try:
        return os.fstat(2).st_size
    except OSError:
        return 0


def log_end(start):
    """The end of the log file that descriptor 2 writes to; empty where it is no file that can be read."""
    try:
        with open("/proc/self/fd/2", "rb") as file:
            if not os.path.isfile(f"/proc/self/fd/{file.fileno()}"):
                return ""
            size = file.seek(0, os.SEEK_END)
            file.seek(max(min(start, size), size - KEPT_CHARACTERS))
            return file.read(KEPT_CHARACTERS).decode("utf-8", "replace")
    except OSError:
        return ""


def why(stderr, code_folder):
    """The exception's type and message with the script's own file and line, else the last line.

    Worked example: a traceback through train.py line 12 into numpy that ends with "ValueError: bad shape" gives
    "ValueError: bad shape (train.py, line 12)".
    """
    at = stderr.rfind(TRACEBACK)
    if at < 0:
        return syntax_error(stderr, code_folder) or last_line(stderr)
    block = stderr[at + len(TRACEBACK) :].lstrip("\n")
    lines = block.splitlines()
    first = next((index for index, line in enumerate(lines) if line and not line[0].isspace()), None)
    if first is None:
        return last_line(stderr)
    message = "\n".join(lines[first:]).strip()[:LONGEST_MESSAGE]
    return message + place("\n".join(lines[:first]), code_folder)


def syntax_error(stderr, code_folder):
    """A file that does not compile has no traceback, only its place, the line and the error."""
    frames = list(FRAME.finditer(stderr))
    end = last_line(stderr)
    return end + place(stderr[frames[-1].start() :], code_folder) if frames and "Error" in end else ""


def place(frames, code_folder):
    found = [(match["file"], match["line"]) for match in FRAME.finditer(frames)]
    root = os.path.realpath(code_folder) + os.sep
    own = [(file, line) for file, line in found if os.path.realpath(file).startswith(root)]
    if not own and not found:
        return ""
    file, line = (own or found)[-1]
    shown = os.path.relpath(os.path.realpath(file), root) if own else file
    return f" ({shown}, line {line})"


def last_line(text):
    return next((line.strip()[:LONGEST_MESSAGE] for line in reversed(text.splitlines()) if line.strip()), "")
