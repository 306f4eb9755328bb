#!/usr/bin/env python3
"""Draws what `run.py` measured: the methods side by side, and our cost against the numbers of columns and rows.

bench/peers/plot.py build/bench/peers.json docs/images/peers.svg
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams |= {"svg.hashsalt": "peers", "font.size": 8}
from matplotlib import pyplot as plt  # noqa: E402

STEPS = {"gram": "exact Gram", "certified": "s and V, proven", "project": "U"}
OURS, OTHERS = "#1f6f8b", "#b8b8b8"


def bars(axes, record):
    """Seconds of every method on two threads (one where it has no more), fastest first."""
    best = {}
    for r in record["results"]:
        if "alone" not in r["method"] and r["threads"] >= best.get(r["method"], r)["threads"]:
            best[r["method"]] = r
    ordered = sorted(best.values(), key=lambda r: -r["seconds"])
    labels = [f"{r['method']} ({r['threads']})" for r in ordered]
    colors = [OURS if r["method"].startswith("ours") else OTHERS for r in ordered]
    drawn = axes.barh(labels, [r["seconds"] for r in ordered], color=colors)
    axes.bar_label(drawn, fmt="%.2f", padding=2)
    axes.set(xscale="log", xlabel="seconds, {} x {} (threads)".format(*record["matrix"]))
    axes.margins(x=0.2)


def lines(axes, record, against):
    runs = [r for r in record["scaling"] if r["against"] == against]
    for step, label in STEPS.items():
        axes.plot([r[against] for r in runs], [r[step] for r in runs], marker="o", markersize=3, label=label)
    fixed = {"columns": "65536 rows, full rank", "rows": "100 columns, k = 50"}[against]
    axes.set(xscale="log", yscale="log", xlabel=f"{against} ({fixed})", ylabel="seconds, 1 thread")
    axes.grid(alpha=0.3)
    axes.legend()


def main(source, target):
    record = json.loads(Path(source).read_text())
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained", width_ratios=(1.3, 1, 1))
    bars(axes[0], record)
    lines(axes[1], record, "columns")
    lines(axes[2], record, "rows")
    figure.suptitle(f"{record['processor']}, {record['kernel']}, {record['date']}")
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
