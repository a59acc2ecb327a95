"""The demo's FOCUS files before the official validator: `make focus-validator`.

The validator wants a Python 3.12 and packages that are older than ours, so it gets an environment
of its own; FOCUS_PYTHON names an interpreter that is not on the path. Where it cannot be installed
this says why and ends with 2; where it finds what is not explained below, with 1.

It guesses the types of a CSV's columns (a deployment's 64-bit id becomes a number that it cannot
load), so it gets the same rows as Parquet: texts as texts, numbers as numbers.
"""

import asyncio
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from pydantic import SecretStr

from gateway.clock import FixedClock
from gateway.dev.demo.fill import fill
from gateway.migrations import migrate
from gateway.settings import load_settings
from gateway.store import connect
from tests.support.books import NOW
from tests.support.focus_files import CLAIMED, purchases_file, usage_file
from tests.support.focus_rules import Verdict, judge
from tests.support.tables import table_rows

ENVIRONMENT: Final = Path(sys.prefix) / "focus-validator"
# pyarrow: newer ones want a NumPy that the validator refuses.
REQUIREMENTS: Final = ("focus-validator==2.2.1", "pyarrow<22")
DAYS: Final = 60

EXPLAINED: Final = (
    (
        r"InvoiceId-C-00[45]-C",
        r".*",
        "alternatives of InvoiceId-C-003-C by row, which it asks of all rows at once",
    ),
    (
        r"PricingCurrency-C-003-M",
        r".*ISO 4217.*",
        "it knows no virtual currencies; the specification's own examples (Token) fail alike",
    ),
    (
        r"ConsumedQuantity-C-00[46]-C",
        r"Validation rule .* failed.*",
        "its statement reads CommitmentDiscountStatus, which need not be there",
    ),
    (
        r"\w+-C-00\d-M",
        r".*ASCII.*",
        "it takes Unicode, which the specification demands, for ASCII",
    ),
)
"""Rules that it reports broken without cause: which, with what message, and why."""

_CONVERT: Final = """
import sys, polars
rows = polars.read_csv(sys.argv[1], infer_schema=False)
numbers = [name for name in rows.columns if name.endswith(("Cost", "UnitPrice", "Quantity"))]
rows.with_columns(polars.col(numbers).cast(polars.Float64)).write_parquet(sys.argv[2])
"""
_FAILED: Final = re.compile(r"^❌ (\S+): FAIL {2}\(violations=(\d+), msg=(.*)\)$", re.MULTILINE)
_TOTAL: Final = re.compile(r"^Total: .*$", re.MULTILINE)


class Failure(NamedTuple):
    rule: str
    rows: int
    message: str

    @property
    def reason(self) -> str | None:
        """Why it is none, if it is none."""
        for rule, message, reason in EXPLAINED:
            if re.fullmatch(rule, self.rule) and re.fullmatch(message, self.message):
                return reason
        return None


def main(python: str, accounts: Sequence[str]) -> int:
    """Validate the files of these accounts of the demo; return the exit code."""
    if problem := install(python):
        print(f"The official validator cannot be installed here: {problem}")
        return 2
    with TemporaryDirectory() as folder:
        written = asyncio.run(write_files(Path(folder), accounts))
        return 1 if sum([validate(path) for path in written]) else 0


def install(python: str) -> str | None:
    """Make the validator's environment where it is not there; return what went wrong."""
    if (ENVIRONMENT / "bin" / "focus-validator").exists():
        return None
    uv = str(Path(sys.prefix) / "bin" / "uv")
    inside = str(ENVIRONMENT / "bin" / "python")
    for command in (
        [uv, "venv", "--clear", "--no-python-downloads", "--python", python, str(ENVIRONMENT)],
        [uv, "pip", "install", "--quiet", "--python", inside, *REQUIREMENTS],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stderr.strip()
    return None


async def write_files(folder: Path, accounts: Sequence[str]) -> list[Path]:
    """Write the demo's files, and print what our own judge says of them."""
    url = f"sqlite:///{folder}/demo.sqlite3"
    await migrate(url)
    database = await connect(load_settings(database_url=SecretStr(url)))
    await fill(database, clock=FixedClock(NOW), days=DAYS)
    written = []
    for account in await table_rows(database, "account"):
        for what, export in (("usage", usage_file), ("credit-purchases", purchases_file)):
            path = folder / f"{account['external_id']}-{what}.csv"
            text, _ = await export(database, account)
            path.write_text(text, "utf-8", newline="")
            report = judge(text, CLAIMED)
            print(f"{path.name}, {text.count(chr(10)) - 1} rows, our judge: {report}")
            assert not report.of(Verdict.FAILED)
            if account["external_id"] in accounts:
                written.append(path)
    await database.close()
    return written


def validate(path: Path) -> int:
    """Print what the validator says of a file; return how many failures are not explained."""
    parquet = path.with_suffix(".parquet")
    inside = str(ENVIRONMENT / "bin" / "python")
    subprocess.run([inside, "-c", _CONVERT, str(path), str(parquet)], check=True)
    [packages] = ENVIRONMENT.glob("lib/*/site-packages")
    done = subprocess.run(
        [
            *(str(ENVIRONMENT / "bin" / "focus-validator"), "--data-file", str(parquet)),
            *("--validate-version", "1.2.0.1", "--block-download"),
            *("--applicability-criteria", ",".join(sorted(CLAIMED))),
        ],
        cwd=packages,  # where it looks for its currencies
        capture_output=True,
        text=True,
        check=False,
    )
    total = _TOTAL.search(done.stdout)
    if total is None:
        print(f"{path.name}: it broke off. {done.stderr[-500:]}")
        return 1
    found = list(failures(done.stdout))
    print(f"{path.name}, official validator: {total[0]}")
    for reason, count in Counter(each.reason for each in found if each.reason).items():
        print(f"  {count} explained: {reason}")
    unexplained = [each for each in found if each.reason is None]
    for each in unexplained:
        print(f"  NOT EXPLAINED {each.rule}, {each.rows} rows: {each.message}")
    return len(unexplained)


def failures(output: str) -> Iterator[Failure]:
    """Yield what failed, without the rules that sum up others."""
    for rule, rows, message in _FAILED.findall(output):
        if "child rules" not in message:
            yield Failure(rule, int(rows), message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:] or ["demo-aurora", "demo-nimbus"]))
