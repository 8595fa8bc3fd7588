"""What this process is part of: set once, right after the fork, and read by what runs inside it."""

import os
import sys
from dataclasses import dataclass, field

#: The job or worker that this process is; None in a Python that the engine did not start.
current = None


@dataclass
class Context:
    #: The job's folder, private to it.
    root: str
    #: What stands for /opt/ml.
    ml: str
    #: `namespace` where /opt/ml is private to this job, else `folder`.
    isolation: str
    #: The virtual environment that every job shares.
    environment: str
    #: Where layers of requirements are kept between jobs.
    layers: str
    #: Variables for pip: the user's home and proxies, which the job itself does not get.
    pip_environment: dict = field(default_factory=dict, repr=False)
    #: A stream socket to the supervisor.
    control: object = None
    #: The job's own virtual environment.
    python: str = ""


def library_folder(environment):
    """Where a virtual environment keeps its packages."""
    return os.path.join(environment, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}", "site-packages")


def make_python(folder, libraries):
    """Makes a small virtual environment that sees the packages of `libraries`, in about a millisecond.

    What a job installs with pip goes here and nowhere else: packages outside it count as installed and are never
    removed. pip itself comes from the shared environment.
    """
    binaries, library = os.path.join(folder, "bin"), library_folder(folder)
    os.makedirs(binaries, mode=0o700, exist_ok=True)
    os.makedirs(library, mode=0o700, exist_ok=True)
    base = os.path.realpath(sys.executable)
    version = "%d.%d.%d" % sys.version_info[:3]
    home = f"home = {os.path.dirname(base)}\ninclude-system-site-packages = false\nversion = {version}\n"
    write(os.path.join(folder, "pyvenv.cfg"), home)
    see_libraries(folder, libraries)
    for name in ("python", "python3", f"python3.{sys.version_info[1]}"):
        link = os.path.join(binaries, name)
        if not os.path.lexists(link):
            os.symlink(base, link)
    python = os.path.join(binaries, "python")
    for name in ("pip", "pip3"):
        quoted = python.replace("'", "'\\''")
        write(os.path.join(binaries, name), f"#!/bin/sh\nexec '{quoted}' -m pip \"$@\"\n", 0o755)
    return python


def see_libraries(folder, libraries):
    write(os.path.join(library_folder(folder), "slipway.pth"), "".join(f"{path}\n" for path in libraries))


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
