"""Trains a classifier and leaves it where SageMaker's XGBoost image looks for a model: <model folder>/xgboost-model.

The channel `train` holds train.csv, `validation` holds validation.csv: no heading, the target in the first column.
"""

import argparse
import os

import pandas as pd
import xgboost


def matrix(folder: str) -> xgboost.DMatrix:
    files = sorted(name for name in os.listdir(folder) if name.endswith(".csv"))
    rows = pd.concat(pd.read_csv(os.path.join(folder, name), header=None) for name in files)
    return xgboost.DMatrix(rows.iloc[:, 1:].to_numpy(), label=rows.iloc[:, 0].to_numpy())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--max_depth", type=int, default=3)
    parser.add_argument("--eta", type=float, default=0.1)
    parser.add_argument("--subsample", type=float, default=1.0)
    parser.add_argument("--num_round", type=int, default=100)
    options = parser.parse_args()

    train = matrix(os.environ["SM_CHANNEL_TRAIN"])
    validation = matrix(os.environ["SM_CHANNEL_VALIDATION"])
    booster = xgboost.train(
        {
            "objective": "binary:logistic",
            "eval_metric": "auc",
            "max_depth": options.max_depth,
            "eta": options.eta,
            "subsample": options.subsample,
            "seed": 42,
        },
        train,
        num_boost_round=options.num_round,
        evals=[(validation, "validation")],
        verbose_eval=40,
    )
    booster.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "xgboost-model"))


if __name__ == "__main__":
    main()
