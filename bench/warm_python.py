"""A Python process that has imported everything and runs a script each time it reads a line: the physical limit of a job.

Usage: warm_python.py SCRIPT (arguments of the script follow); each line on standard input is one run, each line on
standard output its duration in milliseconds.
"""

import io
import runpy
import sys
import time
from contextlib import redirect_stdout

import numpy  # noqa: F401
import pandas  # noqa: F401
import sklearn  # noqa: F401
import xgboost  # noqa: F401

script, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = script
print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    with redirect_stdout(io.StringIO()):
        runpy.run_path(script, run_name="__main__")
    print((time.perf_counter() - start) * 1000, flush=True)
