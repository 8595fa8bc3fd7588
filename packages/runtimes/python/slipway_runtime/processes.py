"""A job's processes as the kernel shows them: who they are, how much memory they have, and how to end them all."""

import os
import signal
import time

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def children(pid):
    """Direct children, empty where the kernel does not say."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return children_by_scan(pid)


def children_by_scan(parent):
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else []:
        if name.isdigit():
            fields = stat_fields(int(name))
            if fields and int(fields[1]) == parent:
                found.append(int(name))
    return found


def stat_fields(pid):
    """The fields of /proc/<pid>/stat from the state on; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def start_ticks(pid):
    """When the process started, in ticks since boot: with the pid it names one process for ever."""
    fields = stat_fields(pid)
    return int(fields[19]) if fields else 0


def family(pid):
    """The process and all its descendants."""
    found, waiting = [], [pid]
    while waiting and len(found) < 10_000:
        process = waiting.pop()
        found.append(process)
        waiting += children(process)
    return found


def resident_bytes(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", encoding="utf-8") as file:
                total += int(file.read().split()[1]) * PAGE_BYTES
        except (OSError, IndexError):
            pass
    return total


def signal_group(group, number):
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        pass


def end_all(group, within_s=10):
    """Kills the job's group and every descendant that left it, and reaps them.

    The caller is the subreaper, so whatever a killed process leaves behind becomes its child and is met in the next
    round. Returns the number of processes that outlived the limit (the kernel holds them).
    """
    deadline = time.monotonic() + within_s
    while True:
        signal_group(group, signal.SIGKILL)
        for pid in family(os.getpid())[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass
        except ChildProcessError:
            return 0
        if time.monotonic() > deadline:
            return len(family(os.getpid())) - 1
        time.sleep(0.002)


def kernel_kills():
    """How many processes the kernel has killed for memory since boot, -1 where it does not say."""
    try:
        with open("/proc/vmstat", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("oom_kill "))
    except (OSError, StopIteration, ValueError):
        return -1
