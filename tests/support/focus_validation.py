"""Validates an export with the public FOCUS validator; runs in that tool's own environment, which has no layer.

The validator exits 0 even on failures, so its totals are read; it is fed Parquet with exact decimals. What
cannot pass is listed here with the reason, and nothing else may fail.
"""

import csv
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb

EXPECTED = {
    "InvoiceId-C-005-C": "no invoice is visible from here: InvoiceId is null, as InvoiceId-C-004-C asks for",
}
"""Rule to the reason why it cannot pass."""

DECIMALS = ("Cost", "Price", "Quantity")
TIMES = ("PeriodStart", "PeriodEnd")


def main(path: Path) -> int:
    """Validate the CSV at ``path``; return 1 where a rule failed that is not listed."""
    parquet = path.with_suffix(".parquet")
    _convert(path, parquet)
    spec = find_spec("focus_validator")
    if spec is None or spec.origin is None:
        sys.exit("focus_validator is not installed here")
    packages = Path(spec.origin).parents[1]  # it looks for its currency codes relative to them
    command = [str(Path(sys.executable).parent / "focus-validator"), "--data-file", str(parquet.resolve())]
    command += ["--validate-version", "1.2", "--block-download", "--show-violations", "--output-type", "console"]
    told = subprocess.run(command, cwd=packages, capture_output=True, text=True, check=False)
    totals = re.search(r"Total: (\d+) \| Pass: (\d+) \| Fail: (\d+) \| Skipped: (\d+)", told.stdout)
    if totals is None:
        sys.exit(f"the validator said nothing of use:\n{told.stdout[-500:]}\n{told.stderr[-1500:]}")
    failed = set(re.findall(r"❌ ([\w-]+): FAIL", told.stdout))
    sys.stdout.write(f"{totals[0]}\n")
    for rule in sorted(failed):
        sys.stdout.write(f"{rule}: {EXPECTED.get(rule, 'NOT EXPECTED')}\n")
    if len(failed) != int(totals[3]):
        sys.exit("the validator names other failures than it counts")
    return 1 if failed - set(EXPECTED) else 0


def _convert(source: Path, target: Path) -> None:
    with source.open(newline="") as file:
        columns = next(csv.reader(file))
    wanted = ", ".join(f"{_typed(name)} AS {_quoted(name)}" for name in columns)
    rows = f"read_csv('{source}', all_varchar=true, header=true)"
    duckdb.sql(f"COPY (SELECT {wanted} FROM {rows}) TO '{target}' (FORMAT parquet)")


def _typed(name: str) -> str:
    if name.endswith(DECIMALS):
        return f"CAST({_quoted(name)} AS DECIMAL(38,24))"
    return f"CAST({_quoted(name)} AS TIMESTAMPTZ)" if name.endswith(TIMES) else _quoted(name)


def _quoted(name: str) -> str:
    return f'"{name}"'


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
