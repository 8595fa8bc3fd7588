"""Writes the two data sets of the demo, which ship inside scikit-learn, as CSV files. Usage: make_data.py FOLDER."""

import os
import sys

from sklearn.datasets import load_breast_cancer, load_diabetes


def write(folder: str, model: str, bunch, target: str) -> None:
    frame = bunch.frame.rename(columns={"target": target})
    frame.columns = [name.replace(" ", "_") for name in frame.columns]
    frame.insert(0, "id", range(1, len(frame) + 1))
    file = os.path.join(folder, "models", model, "data.csv")
    # Under its own name only when it is whole: another demo may be reading it.
    frame.to_csv(f"{file}.{os.getpid()}", index=False, lineterminator="\n")
    os.replace(f"{file}.{os.getpid()}", file)


write(sys.argv[1], "breast-cancer", load_breast_cancer(as_frame=True), "benign")
write(sys.argv[1], "diabetes", load_diabetes(as_frame=True), "progression")
