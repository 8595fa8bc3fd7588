"""Reads a channel's files into a DMatrix: CSV with the label first and no heading, libsvm, parquet.

Source: sagemaker-xgboost-container, data_utils.py. The container's own CSV parser makes text cells 0 or missing without
a word; here a heading is left out with a warning, True and False are 1 and 0, and other text is the user's error.
"""

import csv
import os
import sys

import numpy as np
import pandas
import xgboost

from slipway_runtime import boosters, decoders
from slipway_runtime.failures import ClientError

CSV, LIBSVM, PARQUET, RECORDIO = "csv", "libsvm", "parquet", "recordio-protobuf"
CONTENT_TYPES = {
    "csv": CSV,
    "libsvm": LIBSVM,
    "parquet": PARQUET,
    "recordio-protobuf": RECORDIO,
    "text/csv": CSV,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "application/x-parquet": PARQUET,
    "application/x-recordio-protobuf": RECORDIO,
}
BOOLEANS = {"true": 1.0, "false": 0.0}
MISSING = ("", "nan", "na", "n/a", "null", "none", "?")
SNIFFED_CHARACTERS = 512
LONGEST_SHOWN_CELL = 40


def content_type(given):
    """`csv`, `libsvm`, … for a channel's ContentType; libsvm when there is none. Raises ClientError."""
    if not given:
        return LIBSVM
    kind, *parameters = (part.strip() for part in given.lower().split(";"))
    if kind not in CONTENT_TYPES:
        raise ClientError(f"{given} is not an accepted ContentType: {', '.join(CONTENT_TYPES)}.")
    sizes = [part.partition("=")[2].strip() for part in parameters if part.startswith("label_size")]
    if CONTENT_TYPES[kind] == CSV and any(size != "1" for size in sizes):
        raise ClientError(
            f"{given} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return CONTENT_TYPES[kind]


def read_channel(name, folder, kind, csv_weights=False):
    """A DMatrix with labels of all files below `folder`. Raises ClientError, naming file, line and column."""
    files = data_files(folder)
    if not any(os.path.getsize(path) for path in files):
        where = "training" if name == "train" else name
        raise ClientError(f"No data in {where} channel path {folder}")
    if kind == LIBSVM:
        matrix = read_libsvm(files, name)
    elif kind == CSV:
        matrix = labelled(read_tables(files, read_csv), csv_weights, name)
    elif kind == PARQUET:
        matrix = labelled(read_tables(files, read_parquet), False, name)
    else:
        raise ClientError(f"ContentType {kind} is not supported by Slipway's training yet: use csv or libsvm")
    if matrix.num_row() == 0:
        raise ClientError(f"No rows in the files of channel {name}")
    return matrix


def data_files(folder):
    """All files but hidden ones, by name: the order of rows, and so the model, is the same everywhere."""
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith((".", "_")))
        found += [os.path.join(root, each) for each in sorted(names) if not each.startswith((".", "_"))]
    return found


def read_tables(files, read):
    tables = [(path, read(path)) for path in files if os.path.getsize(path)]
    widths = {table.shape[1] for _, table in tables if len(table)}
    if len(widths) > 1:
        shown = ", ".join(f"{os.path.basename(path)} has {table.shape[1]}" for path, table in tables[:4])
        raise ClientError(f"The files of a channel must have the same number of columns: {shown}")
    return np.concatenate([table for _, table in tables if len(table)] or [np.empty((0, 2))])


def read_csv(path):
    name = os.path.basename(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            first = file.readline()
        delimiter = delimiter_of(first)
        heading = is_heading(first, delimiter)
        if heading:
            warn_of_heading(name, first)
        table = pandas.read_csv(
            path, header=None, sep=delimiter, skiprows=1 if heading else 0, encoding="utf-8-sig", low_memory=False,
            float_precision="round_trip", skipinitialspace=True,
        )  # fmt: skip
    except pandas.errors.EmptyDataError:
        return np.empty((0, 0))
    except (pandas.errors.ParserError, UnicodeDecodeError) as error:
        raise ClientError(f"Failed to load csv data with exception:\n{name}: {error}") from None
    return numbers(table, name, 2 if heading else 1)


def delimiter_of(line):
    """As the container sniffs it; a letter or digit cannot be one."""
    try:
        found = csv.Sniffer().sniff(line[:SNIFFED_CHARACTERS], delimiters=",;\t| ").delimiter
    except csv.Error:
        found = ","
    return "," if "," in line else found


def is_heading(line, delimiter):
    """A first line with text, where every cell is text or empty, is a heading; one bad cell among numbers is not."""
    cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    texts = [cell for cell in cells if not is_value(cell)]
    return bool(texts) and len(texts) == sum(1 for cell in cells if cell.lower() not in MISSING)


def is_value(cell):
    if cell.lower() in BOOLEANS or cell.lower() in MISSING:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def warn_of_heading(name, line):
    print(
        f"WARNING: the first line of {name} is a heading ({line.strip()[:80]}). It was left out. On SageMaker it "
        "becomes a junk row with label 0: write the CSV without a heading, the label first.",
        file=sys.stderr,
        flush=True,
    )


def numbers(table, name, first_line):
    """Every column as float64; text that is neither a boolean nor missing is refused with its place."""
    columns = []
    for index in range(table.shape[1]):
        column = table.iloc[:, index]
        if pandas.api.types.is_numeric_dtype(column):
            columns.append(column.to_numpy(dtype=np.float64))
            continue
        texts = column.astype(str).str.strip().str.lower()
        found = pandas.to_numeric(texts.replace({**BOOLEANS, **dict.fromkeys(MISSING)}), errors="coerce")
        bad = found.isna() & ~texts.isin(MISSING)
        if bad.any():
            row = int(np.argmax(bad.to_numpy()))
            cell = str(column.iloc[row])[:LONGEST_SHOWN_CELL]
            raise ClientError(
                f"{name}, line {row + first_line}, column {index + 1}: {cell!r} is text. The built-in algorithm takes "
                "numbers only: encode categories before training"
            )
        columns.append(found.to_numpy(dtype=np.float64))
    return np.column_stack(columns) if columns else np.empty((0, 0))


def read_parquet(path):
    try:
        table = pandas.read_parquet(path)
    except ImportError:
        raise ClientError("parquet needs the package pyarrow, which this Python environment lacks: use csv") from None
    except Exception as error:
        raise ClientError(f"Failed to load parquet data with exception:\n{error}") from None
    return numbers(table, os.path.basename(path), 1)


def labelled(table, csv_weights, name):
    features_from = 2 if csv_weights else 1
    if len(table) and table.shape[1] <= features_from:
        raise ClientError(f"Channel {name} has {table.shape[1]} column(s): the label comes first, then the features")
    missing = np.flatnonzero(~np.isfinite(table[:, 0])) if len(table) else []
    if len(missing):
        raise ClientError(f"Channel {name}: {len(missing)} row(s) have no label, the first is row {missing[0] + 1}")
    weight = table[:, 1] if csv_weights else None
    return matrix_of(lambda: xgboost.DMatrix(table[:, features_from:], label=table[:, 0], weight=weight), name)


def matrix_of(make, name):
    """Infinite cells and negative weights are what the library itself finds."""
    try:
        return make()
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise ClientError(f"Failed to load the data of channel {name}: {boosters.first_sentence(str(error))}") from None


def read_libsvm(files, name):
    rows = []
    for path in files:
        with open(path, encoding="utf-8", errors="replace") as file:
            try:
                rows.append(decoders.parse_libsvm(file, labelled=True))
            except ValueError as error:
                line = str(error)
                raise ClientError(f"{os.path.basename(path)} is not 'LIBSVM' format: {line}") from None
    return matrix_of(lambda: decoders.libsvm_matrix(rows), name)
