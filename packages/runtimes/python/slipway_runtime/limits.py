"""What the kernel is asked for: limits, threads, who dies with whom. Everything here is quiet where a system lacks it."""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
IS_LINUX = sys.platform == "linux"
DEFAULTED_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGCHLD", "SIGUSR1", "SIGUSR2")


def prctl(option, value):
    if IS_LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def die_with_parent(parent_pid):
    """The kernel ends this process with its parent; ends it now if the parent was quicker."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(137)


def adopt_orphans():
    """Processes that this one's descendants leave behind become its children, so that none is lost from sight."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def default_signals():
    """Signals as a fresh Python has them: SIGPIPE stays ignored, so that a peer who leaves is an error, not the end."""
    signal.set_wakeup_fd(-1)
    for name in DEFAULTED_SIGNALS:
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    # Python's own default for Ctrl-C; a script may rely on KeyboardInterrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def no_core_files():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def close_descriptors(kept):
    """Closes every descriptor above 2 but the kept ones."""
    start = 3
    for descriptor in sorted(kept):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, 4096)


def processors():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Pools:
    """The thread pools of the libraries that are loaded: found once in the zygote, since finding takes 20 ms.

    Finding only asks each library for its number of threads; it opens no parallel region.
    """

    def __init__(self):
        self.controller = None

    def find(self):
        try:
            import threadpoolctl

            self.controller = threadpoolctl.ThreadpoolController()
        except Exception as error:
            print(f"zygote: no thread pools were found: {error!r}", file=sys.stderr, flush=True)

    def allow(self, count):
        """Lets BLAS and OpenMP use more than the one thread that the zygote loaded them with.

        Only for a process that has just been forked: nothing has opened a parallel region yet, so each library starts
        its threads here, in this process (see the table of hangs in the serving reference, section 4.2).
        """
        if count > 1 and self.controller is not None:
            self.controller.limit(limits=count)


pools = Pools()


def fresh_random_numbers():
    """Children of one zygote must not draw the same numbers."""
    import random

    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


def memory_bytes():
    """The machine's memory; 0 where it cannot be told."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
