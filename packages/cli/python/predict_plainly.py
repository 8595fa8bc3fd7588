"""Loads a model.tar.gz with plain xgboost, as anyone would who downloaded it, and prints its predictions.

Usage: predict_plainly.py MODEL_TAR_GZ < rows.csv   (one row of features a line, no heading; one prediction a line)
"""

import io
import sys
import tarfile

import numpy
import xgboost

with tarfile.open(sys.argv[1]) as archive:
    member = archive.extractfile("xgboost-model")
    assert member is not None, "the archive holds no xgboost-model"
    booster = xgboost.Booster(model_file=bytearray(member.read()))
rows = numpy.loadtxt(io.StringIO(sys.stdin.read()), delimiter=",", ndmin=2)
for prediction in booster.predict(xgboost.DMatrix(rows)):
    print(repr(float(prediction)))
