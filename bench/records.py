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
