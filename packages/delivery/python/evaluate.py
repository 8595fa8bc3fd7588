"""Scores the new model, and the one in production, on the same held-out rows. Runs as a SageMaker processing job.

Reads   /opt/ml/processing/input/test/{test.csv,summary.json}       from prepare.py
        /opt/ml/processing/input/challenger/model.tar.gz            the new model
        /opt/ml/processing/input/champion/model.tar.gz              the one in production, if there is one
Writes  /opt/ml/processing/output/
          predictions.csv    id, y, challenger, champion, trivial (and group): one row for each held-out row
          sample.csv         the features of the first row, as a request to the endpoint looks
          scoring.json       what was scored, and why not if the champion could not be

What decides is not computed here: the gate judges predictions.csv.
"""

import csv
import importlib.util
import json
import os
import sys
import tarfile

import numpy as np

BASE = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")
INPUT = os.path.join(BASE, "processing", "input")
OUTPUT = os.path.join(BASE, "processing", "output")
MAX_UNPACKED_BYTES = 8 << 30
MAX_ENTRIES = 20_000


class Refused(Exception):
    """The model or the rows cannot be scored; the sentence says why."""


def main() -> None:
    with open(os.path.join(INPUT, "test", "summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    rows, cells = read_rows(summary)
    matrix = np.array([[number(cell) for cell in row] for row in cells], dtype=np.float32)
    challenger = score("challenger", matrix, len(rows))
    champion, trouble = None, None
    if os.path.exists(os.path.join(INPUT, "champion", "model.tar.gz")):
        try:
            champion = score("champion", matrix, len(rows))
        except Exception as error:  # the champion may need columns that are gone: a finding, not a failure
            trouble = f"{type(error).__name__}: {error}"[:500]
            print(f"The champion could not be scored: {trouble}", file=sys.stderr)
    write(rows, cells, challenger, champion, trouble, summary)


def read_rows(summary: dict):
    """The identity, label and group of each row, and its features as text in the order the model was trained on."""
    rows, cells = [], []
    with open(os.path.join(INPUT, "test", "test.csv"), newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        place = {name: index for index, name in enumerate(next(reader))}
        features = [place[name] for name in summary["features"]]
        target = place[summary["target"]]
        identity = place.get(summary["id"]) if summary["id"] else None
        group = place.get(summary["group"]) if summary["group"] else None
        for count, row in enumerate(reader):
            rows.append(
                (
                    row[identity] if identity is not None else str(count),
                    row[target],
                    row[group] if group is not None else None,
                )
            )
            cells.append([row[index] for index in features])
    if not rows:
        raise Refused("There is no held-out row to score.")
    return rows, cells


def number(cell: str) -> float:
    if cell == "":
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def score(role: str, matrix: np.ndarray, count: int) -> np.ndarray:
    folder = unpack(role)
    predict = user_functions(folder) or booster(folder)
    values = np.asarray(predict(matrix), dtype=np.float64).reshape(-1)
    if values.shape[0] != count:
        raise Refused(f"The {role} gave {values.shape[0]} predictions for {count} rows; one number a row is expected.")
    if not np.all(np.isfinite(values)):
        raise Refused(f"The {role} gave a prediction that is not a finite number.")
    return values


def unpack(role: str) -> str:
    source = os.path.join(INPUT, role, "model.tar.gz")
    folder = os.path.join(BASE, "processing", "models", role)
    os.makedirs(folder, exist_ok=True)
    total = 0
    with tarfile.open(source, "r:gz") as archive:
        for count, member in enumerate(archive):
            total += member.size
            if count >= MAX_ENTRIES or total > MAX_UNPACKED_BYTES:
                raise Refused(f"The {role}'s model.tar.gz unpacks to more than is allowed.")
            if not (member.isfile() or member.isdir()) or member.name.startswith("/") or ".." in member.name.split("/"):
                raise Refused(f"The {role}'s model.tar.gz holds {member.name!r}, which is not a plain file inside it.")
            archive.extract(member, folder, set_attrs=False)
    return folder


def user_functions(folder: str):
    """`model_fn` and `predict_fn` of the artifact's own code/inference.py, as the inference containers call them."""
    path = os.path.join(folder, "code", "inference.py")
    if not os.path.exists(path):
        return None
    sys.path.insert(0, os.path.dirname(path))
    try:
        spec = importlib.util.spec_from_file_location(f"inference_{abs(hash(path))}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    if not hasattr(module, "model_fn"):
        return None
    model = module.model_fn(folder)
    if hasattr(module, "predict_fn"):
        return lambda matrix: module.predict_fn(matrix, model)
    return model.predict


def booster(folder: str):
    """The model file as the XGBoost image's own server finds it: `xgboost-model`, else the only file there is."""
    path = os.path.join(folder, "xgboost-model")
    if not os.path.exists(path):
        visible = (name for name in sorted(os.listdir(folder)) if not name.startswith("."))
        names = [name for name in visible if os.path.isfile(os.path.join(folder, name))]
        if len(names) != 1:
            found = ", ".join(names) or "nothing"
            raise Refused(
                f"model.tar.gz holds no xgboost-model and no code/inference.py with model_fn (it holds {found})."
            )
        path = os.path.join(folder, names[0])
    import xgboost

    model = xgboost.Booster()
    model.load_model(path)
    best = model.attr("best_iteration")
    trees = (0, int(best) + 1) if best is not None else (0, 0)

    def predict(matrix: np.ndarray) -> np.ndarray:
        wanted = model.num_features()
        if matrix.shape[1] != wanted:
            raise Refused(f"The model was trained on {wanted} features; the rows have {matrix.shape[1]}.")
        return model.predict(xgboost.DMatrix(matrix), iteration_range=trees, validate_features=False)

    return predict


def write(rows, cells, challenger, champion, trouble, summary) -> None:
    os.makedirs(OUTPUT, exist_ok=True)
    grouped = rows[0][2] is not None
    trivial = repr(float(summary["trivial"]))
    with open(os.path.join(OUTPUT, "predictions.csv"), "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["id", "y", "challenger", "champion", "trivial"] + (["group"] if grouped else []))
        for index, (identity, truth, group) in enumerate(rows):
            other = "" if champion is None else repr(float(champion[index]))
            line = [identity, truth, repr(float(challenger[index])), other, trivial]
            out.writerow(line + ([group] if grouped else []))
    with open(os.path.join(OUTPUT, "sample.csv"), "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerow(cells[0])
    scoring = {"schemaVersion": "1", "rows": len(rows), "champion": champion is not None, "trouble": trouble}
    with open(os.path.join(OUTPUT, "scoring.json"), "w", encoding="utf-8") as file:
        json.dump(scoring | {"data": summary}, file, sort_keys=True)
    print(f"Scored {len(rows)} held-out rows" + ("" if champion is None else ", the champion on the same ones") + ".")


if __name__ == "__main__":
    try:
        main()
    except (Refused, tarfile.TarError) as refusal:
        print(refusal, file=sys.stderr)
        os.makedirs(os.path.join(BASE, "output"), exist_ok=True)
        with open(os.path.join(BASE, "output", "message"), "w", encoding="utf-8") as message:
            message.write(str(refusal)[:1000])
        sys.exit(1)
