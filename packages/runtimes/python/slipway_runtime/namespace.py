"""A private /opt/ml: a mount namespace of this process alone, where the job's folder lies at /opt/ml.

As root a mount namespace is enough. Others also need a user namespace, which many containers and Ubuntu 24.04 forbid;
then `Unavailable` says what the kernel answered and the job runs in its folder instead.
"""

import ctypes
import os
import stat

from slipway_runtime.limits import IS_LINUX

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
OPT = "/opt"


class Unavailable(Exception):
    """This kernel or this container does not let the process have a namespace of its own."""


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise Unavailable(f"{what}: {os.strerror(number)}")


def mount(source, target, flags):
    libc = ctypes.CDLL(None, use_errno=True)
    encoded = None if source is None else os.fsencode(source)
    check(libc.mount(encoded, os.fsencode(target), None, flags, None), f"mount {target}")


def unshare():
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if user == 0 and libc.unshare(CLONE_NEWNS) == 0:
        return
    check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare")
    try:
        # The process keeps its own ids inside, so files have the owner that a script expects.
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise Unavailable(f"{error.filename}: {error.strerror}") from None


def enter(root, ml, binds=(), opt=OPT):
    """Gives this process a mount namespace with `ml` at /opt/ml. It must have one thread only.

    Raises `Unavailable`, after which the process can go on without. `root` is the job's folder: /opt is assembled there
    when the machine's has no `ml` to mount upon. `binds` are (folder, place) pairs that are mounted before.
    """
    if not IS_LINUX:
        raise Unavailable("mount namespaces are Linux's")
    unshare()
    try:
        mount(None, "/", MS_REC | MS_PRIVATE)
        for folder, place in binds:
            mount(folder, place, MS_BIND | MS_REC)
        target = os.path.join(opt, "ml")
        if os.path.isdir(target):
            mount(ml, target, MS_BIND | MS_REC)
        else:
            assemble(root, ml, opt)
    except OSError as error:
        raise Unavailable(f"{error.filename}: {error.strerror}") from None


def assemble(root, ml, opt):
    """An /opt in the job's folder: every entry of the machine's, mounted in its place, and `ml`."""
    if not os.path.isdir(opt):
        raise Unavailable(f"there is no {opt} to mount upon")
    copy = os.path.join(root, "opt")
    os.makedirs(copy, mode=0o755, exist_ok=True)
    for entry in os.scandir(opt):
        place = os.path.join(copy, entry.name)
        kind = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISLNK(kind):
            if not os.path.lexists(place):
                os.symlink(os.readlink(entry.path), place)
        elif stat.S_ISDIR(kind):
            os.makedirs(place, exist_ok=True)
            mount(entry.path, place, MS_BIND | MS_REC)
        elif stat.S_ISREG(kind):
            open(place, "a", encoding="utf-8").close()
            mount(entry.path, place, MS_BIND)
    place = os.path.join(copy, "ml")
    os.makedirs(place, exist_ok=True)
    mount(ml, place, MS_BIND | MS_REC)
    mount(copy, opt, MS_BIND | MS_REC)
