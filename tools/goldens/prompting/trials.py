"""Tests and intervals by statsmodels and SciPy, of made-up counts and outcomes: `trials.json`."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

random = np.random.default_rng(17)
COUNTS = [(0, 0), (0, 1), (1, 0), (1, 9), (5, 5), (12, 25), (300, 360), (900, 1100)]
P_VALUES = [[0.01], [0.01, 0.04, 0.03], [0.5, 0.5, 0.001, 0.02, 0.02], random.uniform(0, 0.2, 12).tolist()]
BINS = 10


def calibration(confidences: np.ndarray, correct: np.ndarray) -> float:
    means = stats.binned_statistic(confidences, [confidences, correct], bins=BINS, range=(0, 1)).statistic
    counts = stats.binned_statistic(confidences, confidences, "count", bins=BINS, range=(0, 1)).statistic
    return float(np.nansum(counts * abs(means[0] - means[1])) / len(confidences))


def paired() -> dict:
    first, second = random.uniform(size=(2, 40)) < [[0.75], [0.5]]
    result = stats.bootstrap(
        (first.astype(float), second.astype(float)),
        lambda a, b, axis: np.mean(a, axis) - np.mean(b, axis),
        paired=True, vectorized=True, method="percentile", n_resamples=200_000, random_state=random,
    )
    interval = result.confidence_interval
    return {
        "first": first.astype(int).tolist(), "second": second.astype(int).tolist(),
        "low": interval.low, "high": interval.high, "error": result.standard_error,
    }


confidences, correct = random.uniform(size=60), random.uniform(size=60) < 0.6
golden = {
    "source": "statsmodels, SciPy",
    "version": f"{version('statsmodels')}, {version('scipy')}",
    "script": "tools/goldens/prompting/trials.py",
    # Answered by both, by the first alone, by the second alone, by none: only the middle ones count.
    "mcnemar": [[b, c, float(mcnemar([[7, b], [c, 3]], exact=True).pvalue)] for b, c in COUNTS],
    "holm": [[p, multipletests(p, method="holm")[1].tolist()] for p in P_VALUES],
    "calibration": {
        "confidences": confidences.tolist(), "correct": correct.astype(int).tolist(), "error": calibration(confidences, correct),
    },
    # The means of resamples of n outcomes, k of them 1, are binomial.
    "means": [[k, n, *(float(stats.binom.ppf(q, n, k / n) / n) for q in (0.025, 0.975))] for k, n in ((13, 20), (90, 200), (199, 200))],
    "extremes": [[k, n, *map(float, stats.binomtest(k, n).proportion_ci(method="exact"))] for k, n in ((0, 12), (30, 30))],
    "differences": [paired() for _ in range(2)],
}
Path(sys.argv[1], "trials.json").write_text(json.dumps(golden) + "\n")
