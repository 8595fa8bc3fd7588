"""The hyperparameters of the built-in XGBoost algorithm: names, types, ranges, and the container's words.

Source: sagemaker-xgboost-container, algorithm_mode/hyperparameter_validation.py, and the algorithm toolkit's
hyperparameter_validation.py for the sentences. Values arrive as the request's strings.
"""

import ast
from dataclasses import dataclass

from slipway_runtime import metrics
from slipway_runtime.failures import ClientError

ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
NOT_YET = {
    "_kfold": "k-fold cross-validation inside the algorithm",
    "_num_cv_round": "repeated cross-validation inside the algorithm",
}
OBJECTIVES = [
    "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax", "multi:softprob",
    "rank:pairwise", "rank:ndcg", "rank:map", "reg:absoluteerror", "reg:linear", "reg:squarederror", "reg:logistic",
    "reg:gamma", "reg:pseudohubererror", "reg:squaredlogerror", "reg:tweedie", "survival:aft", "survival:cox",
]  # fmt: skip
TREE_METHODS = ["auto", "exact", "approx", "hist", "gpu_hist"]
BUILDERS = ["grow_colmaker", "distcol", "grow_histmaker", "grow_local_histmaker", "grow_quantile_histmaker"]
TREE_UPDATERS = [*BUILDERS, "grow_skmaker", "sync", "refresh", "prune"]
LINEAR_UPDATERS = ["shotgun", "coord_descent"]
FLAG = ["true", "false"]


@dataclass(frozen=True)
class Interval:
    """Printed as mathematicians do: `[0, 1]`, `(0, +inf)`."""

    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value):
        above = self.low is None or (value > self.low if self.open_low else value >= self.low)
        below = self.high is None or (value < self.high if self.open_high else value <= self.high)
        return above and below

    def __str__(self):
        low = "(-inf" if self.low is None else f"{'(' if self.open_low else '['}{self.low}"
        high = "+inf)" if self.high is None else f"{self.high}{')' if self.open_high else ']'}"
        return f"{low}, {high}"


AT_LEAST_0, AT_LEAST_1 = Interval(0), Interval(1)
SHARE, OPEN_SHARE, BIT = Interval(0, 1), Interval(0, 1, open_low=True), Interval(0, 1)

INTEGERS = {
    "num_round": AT_LEAST_1, "csv_weights": BIT, "early_stopping_rounds": AT_LEAST_1, "verbosity": Interval(0, 3),
    "nthread": AT_LEAST_1, "max_depth": AT_LEAST_0, "refresh_leaf": BIT, "max_leaves": AT_LEAST_0,
    "max_bin": AT_LEAST_0, "one_drop": BIT, "num_class": Interval(2), "_kfold": Interval(2),
    "_num_cv_round": AT_LEAST_1, "seed": Interval(-(2**31), 2**31 - 1, True, True), "num_parallel_tree": AT_LEAST_1,
}  # fmt: skip
NUMBERS = {
    "eta": SHARE, "gamma": AT_LEAST_0, "min_child_weight": AT_LEAST_0, "max_delta_step": AT_LEAST_0,
    "subsample": OPEN_SHARE, "colsample_bytree": OPEN_SHARE, "colsample_bylevel": OPEN_SHARE,
    "colsample_bynode": OPEN_SHARE, "lambda": AT_LEAST_0, "alpha": AT_LEAST_0, "base_score": AT_LEAST_0,
    "sketch_eps": Interval(0, 1, True, True), "scale_pos_weight": Interval(0, None, True), "rate_drop": SHARE,
    "skip_drop": SHARE, "lambda_bias": SHARE, "tweedie_variance_power": Interval(1, 2, True, True),
    "aft_loss_distribution_scale": Interval(0, None, True), "prob_buffer_row": Interval(1, None, True),
}  # fmt: skip
CHOICES = {
    "booster": ["gbtree", "gblinear", "dart"], "tree_method": TREE_METHODS, "dsplit": ["row", "col"],
    "process_type": ["default", "update"], "grow_policy": ["depthwise", "lossguide"],
    "predictor": ["auto", "cpu_predictor", "gpu_predictor"], "sample_type": ["uniform", "weighted"],
    "normalize_type": ["tree", "forest"], "objective": OBJECTIVES, "save_model_on_termination": FLAG,
    "aft_loss_distribution": ["normal", "logistic", "extreme"], "deterministic_histogram": FLAG,
    "single_precision_histogram": FLAG, "use_dask_gpu_training": FLAG,
    "sampling_method": ["uniform", "gradient_based"],
}  # fmt: skip
LISTS = {"updater": [*TREE_UPDATERS, *LINEAR_UPDATERS], "eval_metric": metrics.NAMES}
OTHERS = ("monotone_constraints", "interaction_constraints", "_tuning_objective_metric")
KNOWN = {*INTEGERS, *NUMBERS, *CHOICES, *LISTS, *OTHERS}


def validate(given):
    """Typed hyperparameters by their main names. Raises ClientError with the container's sentence."""
    renamed = {ALIASES.get(name, name): value for name, value in given.items()}
    if "num_round" not in renamed:
        raise ClientError("Missing required hyperparameter: num_round")
    values = {name: parse(name, value) for name, value in renamed.items()}
    for name, value in values.items():
        check_range(name, value)
    check_together(values)
    for name, what in NOT_YET.items():
        if name in values:
            raise ClientError(f"Hyperparameter {name}: {what} is not supported by Slipway yet")
    return values


def parse(name, value):
    if name not in KNOWN:
        raise ClientError(f"Extraneous hyperparameter found: {name}")
    text = str(value)
    try:
        if name in INTEGERS:
            return int(text)
        if name in NUMBERS:
            return float(text)
        if name in LISTS:
            return [part.strip() for part in text.split(",")]
        if name in ("monotone_constraints", "interaction_constraints"):
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ClientError(f"Hyperparameter {name}: could not parse value (caused by ValueError)") from None
    return text


def check_range(name, value):
    allowed = INTEGERS.get(name) or NUMBERS.get(name) or CHOICES.get(name)
    if allowed is not None and value not in allowed:
        raise ClientError(f"Hyperparameter {name}: {value} is not in {allowed}")
    if name == "updater" and any(part not in LISTS["updater"] for part in value):
        raise ClientError(f"Hyperparameter updater: value {value} not in range {LISTS['updater']}")
    if name == "eval_metric" and not all(metrics.is_metric(part) for part in value):
        raise ClientError(f"Hyperparameter eval_metric: value {value} not in range {LISTS['eval_metric']}")
    if name == "_tuning_objective_metric" and not is_objective_metric(value):
        names = [f"{channel}:{metric}" for channel in ("train", "validation") for metric in metrics.NAMES]
        raise ClientError(f"Hyperparameter {name}: {value} is not in {names}")
    if name == "monotone_constraints" and not all(part in (-1, 0, 1) for part in as_sequence(name, value)):
        raise ClientError(f"Hyperparameter {name}: value {value} not in range [-1, 0, 1]")
    if name == "interaction_constraints":
        for group in as_sequence(name, value):
            if any(not isinstance(part, int) or part < 0 for part in as_sequence(name, group)):
                raise ClientError(f"Hyperparameter {name}: value {value} not in range [0, +inf)")


def as_sequence(name, value):
    if not isinstance(value, (tuple, list)):
        raise ClientError(f"Hyperparameter {name}: could not parse value (caused by ValueError)")
    return value


def is_objective_metric(value):
    channel, _, metric = value.partition(":")
    return channel in ("train", "validation") and metrics.is_metric(metric)


def check_together(values):
    objective, tree_method = values.get("objective"), values.get("tree_method")
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise ClientError("Require input for parameter 'num_class' for multi-classification")
    wanted = values.get("eval_metric", [])
    if "auc" in wanted and objective is not None and not objective.startswith(("binary:", "rank:", "multi:")):
        raise ClientError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in wanted and objective != "survival:aft":
        raise ClientError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")
    if "monotone_constraints" in values and tree_method not in ("exact", "hist"):
        raise ClientError(
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."
        )
    if "interaction_constraints" in values and tree_method not in ("exact", "hist", "approx"):
        raise ClientError(
            "interaction_constraints can be used only when the tree_method parameter is set to either 'exact', "
            "'hist' or 'approx'."
        )
    if tree_method == "gpu_hist" or values.get("use_dask_gpu_training") == "true":
        raise ClientError("training on a GPU is not supported by Slipway yet: use tree_method 'hist'")
    if "updater" in values:
        check_updaters(values["updater"], values)


def check_updaters(updaters, values):
    if values.get("booster") == "gblinear":
        if len(updaters) != 1 or updaters[0] not in LINEAR_UPDATERS:
            raise ClientError("Linear updater should be one of these options: 'shotgun', 'coord_descent'.")
    elif values.get("process_type") == "update":
        if any(name not in ("refresh", "prune") for name in updaters):
            raise ClientError("process_type 'update' can only be used with updater 'refresh' and 'prune'")
    elif any(name not in TREE_UPDATERS for name in updaters):
        shown = ", ".join(f"'{name}'" for name in TREE_UPDATERS)
        raise ClientError(f"Tree updater should be selected from these options: {shown}.")
    elif sum(name in BUILDERS for name in updaters) > 1:
        raise ClientError("Only one tree grow plugin can be selected.")
