"""What every benchmark's record says of the machine, and how a record is shown and kept."""

import datetime
import json
import os
import platform
from pathlib import Path


def machine():
    """Date, processor and cores: without them a number is none."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    processor = next(names, platform.machine())
    return {"date": datetime.date.today().isoformat(), "processor": processor, "cores": os.cpu_count()}


def measured(repeat, **more):
    """The machine, how busy it is, how many times each is measured, and what else is to be known."""
    return {**machine(), "load": os.getloadavg()[0], "repeat": repeat, **more}


def heading(record, *more):
    """What stands above a table: the machine, when, what else is to be known, and how many times each was measured."""
    words = [record["processor"], f"{record['threads']} threads" if "threads" in record else f"{record['cores']} cores"]
    words += [f"load {record['load']:.1f}"] if "load" in record else []
    words += [record["date"], *more]
    return ", ".join(words + ([f"median of {record['repeat']}"] if "repeat" in record else []))


def markdown(head, rows):
    """A Markdown table: the first column to the left, numbers to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, rule, *rows])


def show(table, record, path):
    """Prints the table, and writes the record as JSON."""
    print(table)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n")
    print(f"\nalso in {path}")
