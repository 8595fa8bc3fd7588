"""Checks a table, splits it, and leaves it where training and evaluation look. Runs as a SageMaker processing job.

Reads   /opt/ml/processing/input/data/**/*.csv        with a heading each
        /opt/ml/processing/input/code/config.json     target, task, id, group, split, minRows, numeric
Writes  /opt/ml/processing/output/
          train/train.csv, validation/validation.csv  no heading, the target first, without the id
          tables/train.csv, tables/validation.csv     all columns with their heading
          test/test.csv, test/summary.json            held out; what the rows are, for evaluation

Cells are copied as they were written, never parsed and printed again. Only the standard library: it starts at once,
and holds one number for each row, not the rows.
"""

import csv
import difflib
import hashlib
import json
import math
import os
import sys

BASE = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")
INPUT = os.path.join(BASE, "processing", "input")
OUTPUT = os.path.join(BASE, "processing", "output")
MAX_ROWS = 50_000_000
MAX_COLUMNS = 10_000
CLASSES = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
PARTS = ("train", "validation", "test")


class Refused(Exception):
    """The data cannot be used; the sentence says why and what to change."""


def main() -> None:
    with open(os.path.join(INPUT, "code", "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    files = csv_files(os.path.join(INPUT, "data"))
    columns = read_heading(files)
    place = check_columns(columns, config)
    keys, labels = scan(files, columns, place, config)
    parts = split(keys, labels, config)
    features = [name for name in columns if name not in (config["target"], config.get("id"), config.get("group"))]
    if not features:
        raise Refused(f"There is no column left to learn from: the columns are {', '.join(columns)}.")
    write(files, columns, features, parts, labels, config)
    summarise(columns, features, parts, labels, config)


def csv_files(folder: str) -> list[str]:
    found = []
    for root, folders, names in os.walk(folder):
        folders.sort()
        found.extend(os.path.join(root, name) for name in sorted(names) if name.lower().endswith(".csv"))
    if not found:
        raise Refused("The data set has no CSV file (*.csv).")
    return found


def rows_of(path: str):
    with open(path, newline="", encoding="utf-8-sig") as file:
        for number, row in enumerate(csv.reader(file), start=1):
            if row:
                yield number, row


def read_heading(files: list[str]) -> list[str]:
    columns: list[str] | None = None
    for path in files:
        heading = next((row for _, row in rows_of(path)), None)
        if heading is None:
            raise Refused(f"{name_of(path)} is empty: not even a heading.")
        if columns is not None and heading != columns:
            raise Refused(f"{name_of(path)} has other columns than {name_of(files[0])}.")
        columns = heading
    assert columns is not None
    if len(columns) > MAX_COLUMNS:
        raise Refused(f"The data set has {len(columns)} columns; {MAX_COLUMNS} is the most that is read.")
    twice = {name for name in columns if columns.count(name) > 1} if len(columns) < 1000 else set()
    if twice:
        raise Refused(f"Two columns are named {sorted(twice)[0]!r}.")
    return columns


def check_columns(columns: list[str], config: dict) -> dict[str, int]:
    place = {}
    wanted = {"target": config["target"], "id": config.get("id"), "group": config.get("group")}
    if config["split"]["by"] == "time":
        wanted["time"] = config["split"].get("column")
    for role, name in wanted.items():
        if name is None:
            continue
        if name not in columns:
            close = difflib.get_close_matches(name, columns, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            shown = ", ".join(columns[:20]) + (" …" if len(columns) > 20 else "")
            raise Refused(f"The {role} column {name!r} is not in the data. Its columns are {shown}.{hint}")
        place[role] = columns.index(name)
    return place


def scan(files: list[str], columns: list[str], place: dict[str, int], config: dict):
    """One pass over all rows: what decides each row's part of the split, and its label."""
    keys: list = []
    labels: list[float] = []
    seen: set[str] = set()
    kind = config["split"]["by"]
    for path in files:
        for number, row in skip_heading(path):
            where = f"{name_of(path)}, line {number}"
            if len(row) != len(columns):
                raise Refused(f"{where}: {len(row)} cells under {len(columns)} columns.")
            if len(labels) >= MAX_ROWS:
                raise Refused(f"The data set has more than {MAX_ROWS} rows.")
            labels.append(label(row[place["target"]], config, where))
            if "id" in place:
                identity = row[place["id"]]
                if identity in seen:
                    raise Refused(f"{where}: the id {identity!r} appears twice; an id names one row.")
                seen.add(identity)
            if kind == "time":
                keys.append(row[place["time"]])
            elif kind == "group":
                keys.append(row[place["group"]])
            else:
                keys.append(row[place["id"]] if "id" in place else str(len(keys)))
    check_rows(labels, config)
    return keys, labels


def skip_heading(path: str):
    rows = rows_of(path)
    next(rows, None)
    return rows


def label(cell: str, config: dict, where: str) -> float:
    target = config["target"]
    text = cell.strip()
    if text == "":
        raise Refused(f"{where}: the target {target!r} is empty. Leave out rows without a label.")
    if config["task"] == "binary":
        value = CLASSES.get(text.lower())
        if value is None:
            raise Refused(f"{where}: the target {target!r} is {cell!r}; a binary target is 0 or 1 (or true, false).")
        return value
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Refused(f"{where}: the target {target!r} is {cell!r}, which is not a finite number.")
    return number


def check_rows(labels: list[float], config: dict) -> None:
    if not labels:
        raise Refused("The data set has no rows, only a heading.")
    if config["task"] == "binary" and len(set(labels)) < 2:
        same = f"{config['target']} = {labels[0]}"
        raise Refused(f"All {len(labels)} rows have the target {same}: one class teaches nothing.")
    if len(labels) < config["minRows"]:
        raise Refused(
            f"The data set has {len(labels)} rows; the gate needs at least {config['minRows']} held-out rows to judge. "
            "Add rows, or lower gate.minRows knowingly."
        )


def split(keys: list, labels: list[float], config: dict) -> list[int]:
    """The part (0 train, 1 validation, 2 test) of each row. The same rows and seed always give the same parts."""
    rule = config["split"]
    if rule["by"] == "time":
        order = sorted(range(len(keys)), key=lambda row: (in_time(keys[row]), row))
        return cut([order], rule, len(keys), from_end=True)
    if rule["by"] == "group":
        return split_groups(keys, rule)
    if rule["by"] != "random":
        raise Refused(f"split.by: {rule['by']} cannot be prepared; use random, group or time.")
    digest = [hash_of(rule["seed"], key) for key in keys]
    strata: dict[float, list[int]] = {}
    for row in range(len(keys)):
        strata.setdefault(labels[row] if config["task"] == "binary" else 0, []).append(row)
    for rows in strata.values():
        rows.sort(key=lambda row: (digest[row], row))
    return cut([strata[name] for name in sorted(strata)], rule, len(keys), from_end=False)


def cut(strata: list[list[int]], rule: dict, count: int, from_end: bool) -> list[int]:
    parts = [0] * count
    for rows in strata:
        ordered = rows[::-1] if from_end else rows
        test = round(rule["test"] * len(rows))
        validation = round(rule["validation"] * len(rows))
        for row in ordered[:test]:
            parts[row] = 2
        for row in ordered[test : test + validation]:
            parts[row] = 1
    check_parts(parts)
    return parts


def split_groups(keys: list, rule: dict) -> list[int]:
    # A group is never taken apart: whole groups fill the test part, then the validation part, in the order of hashes.
    sizes: dict[str, int] = {}
    for key in keys:
        sizes[key] = sizes.get(key, 0) + 1
    part_of: dict[str, int] = {}
    filled = 0
    for key in sorted(sizes, key=lambda name: (hash_of(rule["seed"], name), name)):
        share = (filled + sizes[key] / 2) / len(keys)
        part_of[key] = 2 if share < rule["test"] else 1 if share < rule["test"] + rule["validation"] else 0
        filled += sizes[key]
    parts = [part_of[key] for key in keys]
    check_parts(parts)
    return parts


def check_parts(parts: list[int]) -> None:
    for part in (0, 2):
        if part not in parts:
            raise Refused(f"The split leaves no row for {PARTS[part]}: {len(parts)} rows are too few for these shares.")


def in_time(cell: str):
    try:
        return (0, float(cell), "")
    except ValueError:
        return (1, 0.0, cell)  # ISO dates sort as text


def hash_of(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed}:{key}".encode()).digest()[:8]


def write(files, columns, features, parts, labels, config) -> None:
    target = columns.index(config["target"])
    chosen = [columns.index(name) for name in features]
    tables, channels, opened = {}, {}, []
    for part, folder in enumerate(("tables", "tables", "test")):
        tables[part] = writer(opened, folder, f"{PARTS[part]}.csv")
        tables[part].writerow(columns)
    for part in (0, 1):
        channels[part] = writer(opened, PARTS[part], f"{PARTS[part]}.csv")
    numbered = 0
    for path in files:
        for number, row in skip_heading(path):
            part = parts[numbered]
            if config["numeric"]:
                for place in chosen:
                    row[place] = numeric(row[place], columns[place], f"{name_of(path)}, line {number}")
            row[target] = row[target] if config["task"] == "regression" else str(int(labels[numbered]))
            tables[part].writerow(row)
            if part in channels:
                channels[part].writerow([row[target], *(row[place] for place in chosen)])
            numbered += 1
    for file in opened:
        file.close()


def writer(opened: list, folder: str, name: str):
    os.makedirs(os.path.join(OUTPUT, folder), exist_ok=True)
    file = open(os.path.join(OUTPUT, folder, name), "w", newline="", encoding="utf-8")
    opened.append(file)
    return csv.writer(file, lineterminator="\n")


def numeric(cell: str, column: str, where: str) -> str:
    text = cell.strip()
    if text.lower() in ("true", "false"):
        return "1" if text.lower() == "true" else "0"
    if text == "" or text.lower() == "nan":
        return ""
    try:
        float(text)
    except ValueError:
        raise Refused(
            f"{where}: the column {column!r} holds {cell!r}; the built-in algorithm reads numbers only. "
            "Encode it in a script (data.prepare), or leave the column out."
        ) from None
    return text


def summarise(columns, features, parts, labels, config) -> None:
    counts = {name: parts.count(part) for part, name in enumerate(PARTS)}
    train = [value for value, part in zip(labels, parts) if part == 0]
    summary = {
        "schemaVersion": "1",
        "task": config["task"],
        "rows": counts,
        "columns": columns,
        "features": features,
        "target": config["target"],
        "id": config.get("id"),
        "group": config.get("group"),
        "split": config["split"],
        # What a predictor says that knows the training rows' labels and nothing else.
        "trivial": math.fsum(train) / len(train),
    }
    with open(os.path.join(OUTPUT, "test", "summary.json"), "w", encoding="utf-8") as file:
        json.dump(summary, file, sort_keys=True)
    print(f"{len(labels)} rows, {len(features)} features: " + ", ".join(f"{n} {name}" for name, n in counts.items()))


def name_of(path: str) -> str:
    return os.path.relpath(path, os.path.join(INPUT, "data"))


if __name__ == "__main__":
    try:
        main()
    except (Refused, UnicodeDecodeError, csv.Error) as refusal:
        sentence = str(refusal) if isinstance(refusal, Refused) else f"The data is not a UTF-8 CSV file: {refusal}"
        print(sentence, file=sys.stderr)
        os.makedirs(os.path.join(BASE, "output"), exist_ok=True)
        with open(os.path.join(BASE, "output", "message"), "w", encoding="utf-8") as message:
            message.write(sentence[:1000])
        sys.exit(1)
