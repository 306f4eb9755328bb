"""What the measurements are held against, and the tables that show it."""

from records import heading, markdown


def bound_mb(rows, columns, rank, threads):
    """The bound on peak memory that docs/numerics.md states, in MB."""
    n, k = columns, rank
    per_thread = 8 * (n + 16) ** 2 + 13_700 * n + 66_000 * k
    return (2 * rows * n + threads * per_thread + 140 * n * n + 300 * n * k) / 2**20 + 16


def pick(record, start, threads):
    return next(r for r in record["results"] if r["method"].startswith(start) and r["threads"] == threads)


def targets(record):
    """Rows of name, what was reached, target, whether more is better."""
    k = record["rank"]
    full, some = pick(record, "ours, full", 1), pick(record, f"ours, k={k}", 1)

    def share(r):
        return r["certified"] / r["seconds"]

    rows = [
        ("exact Gram against OpenBLAS dsyrk, 1 thread",
         pick(record, "OpenBLAS", 1)["seconds"] / pick(record, "ours, Gram", 1)["seconds"],
         3.5 if "vnni" in record["kernel"] else 2.5, True),
        ("pixels to U, s, V against LAPACK gesdd, CPU time, full rank",
         pick(record, "LAPACK", 1)["cpu"] / full["seconds"], 4, True),
        *(
            (f"the same against NumPy Gram + eigh (not certified), full rank, {t} thread{'s'[: t > 1]}",
             pick(record, "NumPy Gram + eigh, full", t)["seconds"] / pick(record, "ours, full", t)["seconds"], 1, True)
            for t in (1, 2)
        ),
        (f"s and V, eigensolver, bound and Ziv's test included: share of the whole, k={k}", share(some), 0.15, False),
        ("the same at full rank", share(full), 0.25, False),
    ]  # fmt: skip
    if record["folder"]:
        numeric = pick(record, "ours, full", 2)["seconds"]
        rows.append(
            ("folder to result over the numeric part, 2 threads", record["folder"]["whole"] / numeric, 2, False)
        )
    peak = max(r["peak_mb"] / r["bound_mb"] for r in record["scaling"])
    rows.append(("peak memory over the stated bound, worst of all sizes", peak, 1, False))
    return [
        {"row": name, "reached": reached, "target": target, "more_is_better": more,
         "met": reached >= target if more else reached <= target}
        for name, reached, target, more in rows
    ]  # fmt: skip


def error(value):
    return "" if value is None else f"{value:.0e}"


def table(record):
    """The record as Markdown: targets, methods, scaling."""
    rows, columns = record["matrix"]
    parts = [
        heading(record, f"kernel {record['kernel']}", f"{rows} x {columns}"),
        markdown(
            ["target", "reached", "asked for", ""],
            [
                [t["row"], f"{t['reached']:.2f}", f"{'at least' if t['more_is_better'] else 'at most'} {t['target']}",
                 "" if t["met"] else "MISSED"]
                for t in record["targets"]
            ],
        ),
        markdown(
            ["method", "threads", "seconds", "least to most", "largest relative error of s", "peak, MB"],
            [
                [r["method"], str(r["threads"]), f"{r['seconds']:.3f}", "{:.3f} to {:.3f}".format(*r["spread"]),
                 error(r["error_of_s"]), f"{r['peak_mb']:.0f}" if "peak_mb" in r else ""]
                for r in record["results"]
            ],
        ),
        markdown(
            ["rows", "columns", "k", "Gram, s", "s and V, s", "U, s", "peak, MB", "bound, MB"],
            [
                [f"{r['rows']}", f"{r['columns']}", f"{r['k']}", f"{r['gram']:.3f}", f"{r['certified']:.3f}",
                 f"{r['project']:.3f}", f"{r['peak_mb']:.0f}", f"{r['bound_mb']:.0f}"]
                for r in record["scaling"]
            ],
        ),
    ]  # fmt: skip
    return "\n\n".join(parts)
