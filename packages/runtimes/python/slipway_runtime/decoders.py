"""Payloads and files of rows into matrices: the container's own parsers, with its rules for delimiters and indices.

Source: sagemaker-xgboost-container, encoder.py and algorithm_mode/serve_utils.py; for arrays
sagemaker-inference-toolkit, decoder.py, with pickles refused as the later containers do.
"""

import csv
import io
import json
from array import array
from dataclasses import dataclass, field

import numpy as np
import xgboost
from scipy.sparse import csr_matrix

SNIFFED_CHARACTERS = 512
LARGEST_INDEX = 2**31 - 2


class UnsupportedFormat(Exception):
    """No decoder for this content type."""


def media_type(content_type):
    return (content_type or "").split(";")[0].strip().lower()


def csv_matrix(text):
    """A DMatrix of a CSV payload: the delimiter is sniffed, an empty cell is missing, cells are float64 first."""
    lines = text.split("\n")
    delimiter = sniffed(lines[0][:SNIFFED_CHARACTERS])
    cells = [[float(cell) if cell.strip() else np.nan for cell in line.split(delimiter)] for line in lines]
    return xgboost.DMatrix(np.array(cells, dtype=np.float64), nthread=1)


def sniffed(line):
    """The sniffer fails on a single number; a letter or digit that it takes for a delimiter is none."""
    if "," in line:
        return ","
    try:
        delimiter = csv.Sniffer().sniff(line).delimiter
    except csv.Error:
        return ","
    return "," if delimiter.isalnum() or delimiter in ".+-" else delimiter


@dataclass
class LibsvmRows:
    labels: array = field(default_factory=lambda: array("d"))
    weights: array = field(default_factory=lambda: array("d"))
    groups: array = field(default_factory=lambda: array("q"))
    starts: array = field(default_factory=lambda: array("q", [0]))
    indices: array = field(default_factory=lambda: array("q"))
    values: array = field(default_factory=lambda: array("d"))


def parse_libsvm(lines, labelled):
    """Rows `<label>[:<weight>] [qid:<n>] <index>:<value> …`; in a payload the label may be left out.

    Raises ValueError with the line and what is wrong with it.
    """
    rows = LibsvmRows()
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            parse_row(words, rows, labelled)
        except ValueError:
            raise ValueError(f"line {number} is {line.strip()[:50]!r}") from None
    return rows


def parse_row(words, rows, labelled):
    if labelled:
        label, colon, weight = words[0].partition(":")
        rows.labels.append(float(label))
        if colon:
            rows.weights.append(float(weight))
        words = words[1:]
    elif ":" not in words[0]:
        float(words[0])
        words = words[1:]
    if words and words[0].startswith("qid:"):
        rows.groups.append(int(words[0][4:]))
        words = words[1:]
    for word in words:
        index, colon, value = word.partition(":")
        if not colon or not 0 <= int(index) <= LARGEST_INDEX:
            raise ValueError(word)
        rows.indices.append(int(index))
        rows.values.append(float(value))
    rows.starts.append(len(rows.indices))


def libsvm_matrix(files, shift_one_based=False, at_least=1):
    """A DMatrix of parsed files, `at_least` so many columns wide.

    `shift_one_based`: indices that start at 1 or later are counted from 1.
    """
    starts, offset = [0], 0
    for rows in files:
        starts += [start + offset for start in rows.starts[1:]]
        offset += len(rows.indices)
    joined = {
        name: np.concatenate([np.asarray(getattr(rows, name)) for rows in files] or [np.empty(0)])
        for name in ("labels", "weights", "groups", "indices", "values")
    }
    indices = joined["indices"].astype(np.int64)
    if shift_one_based and len(indices) and indices.min() >= 1:
        indices = indices - 1
    count = len(starts) - 1
    width = max(at_least, int(indices.max()) + 1 if len(indices) else 1)
    sparse = csr_matrix((joined["values"], indices, np.array(starts)), shape=(count, width))
    own = {}
    for name, argument in (("labels", "label"), ("weights", "weight"), ("groups", "qid")):
        if len(joined[name]):
            if len(joined[name]) != count:
                raise ValueError(f"{name} are given for some rows only")
            own[argument] = joined[name]
    return xgboost.DMatrix(sparse, **own)


def array_of(body, content_type):
    """A numpy array of a payload, text or bytes, for scripts without an input_fn.

    Raises UnsupportedFormat or ValueError.
    """
    kind = media_type(content_type)
    if kind == "application/json":
        return np.array(json.loads(body))
    if kind == "text/csv":
        return np.genfromtxt(io.StringIO(body), delimiter=",")
    if kind == "application/x-npy":
        return np.load(io.BytesIO(body), allow_pickle=False)
    raise UnsupportedFormat(
        f"Content type {content_type} is not supported by this framework: implement input_fn to deserialize the "
        "request data or an output_fn to serialize the response."
    )
