"""`python -m tests.bench.receipts`: milliseconds a receipt, and what a link costs.

`--write FOLDER` keeps three of them: a plain one, one with bonus and tax in another script, and a
credit note.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.receipts.pdf import ReceiptPress, ReceiptPrinter
from tests.support.graph import LINKS
from tests.support.receipts import CANCELLATION, CREDIT_NOTE, source

KINDS: dict[str, dict[str, Any]] = {
    "plain": {"lines": [{"kind": "credit", "amount": "100.00"}]},
    "bonus-and-tax-arabic": {
        "buyer": "شركة النور للحوسبة (دبي) 24",
        "currency": "AED",
        "timeZone": "Asia/Dubai",
    },
    "credit-note": CREDIT_NOTE | {"original_number": "K7WQ2M9X-2026-000042"},
    "cancellation": CANCELLATION | {"original_number": "K7WQ2M9X-2026-000042"},
    "chinese": {"buyer": "北京云计算有限公司", "timeZone": "Asia/Shanghai"},
}


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def press(folder: Path | None, count: int) -> None:
    """Print receipts of each kind, each of another buyer, so that no work is shared."""
    printing = ReceiptPress()

    def one(kind: str, number: int) -> float:
        return milliseconds(lambda: printing.print(_of(kind, f" {number}")))

    first = milliseconds(lambda: printing.print(source()))
    print(f"the first, with reading the fonts: {first:.0f} ms")
    print(f"the first in Chinese: {milliseconds(lambda: printing.print(_of('chinese'))):.0f} ms")
    for kind in KINDS:
        pdf = printing.print(_of(kind))
        took = [one(kind, number) for number in range(count)]
        p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
        print(f"{kind}: {p50:.1f} ms each, p99 {p99:.1f} ms, {len(pdf) / 1000:.0f} kB")
        if folder:
            (folder / f"{kind}.pdf").write_bytes(pdf)


def _of(kind: str, more: str = "") -> Any:
    changes = KINDS[kind]
    return source(**changes | {"buyer": f"{changes.get('buyer', 'Aurora Inference GmbH')}{more}"})


async def loop_delay(count: int) -> None:
    """Print how long the event loop waits while receipts are printed beside it."""
    printer, delays = ReceiptPrinter(), []
    await printer.print(source())
    work = asyncio.gather(*(printer.print(_of("plain", f" {n}")) for n in range(count)))
    while not work.done():
        began = time.perf_counter()
        await asyncio.sleep(0)
        delays.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.001)
    printer.close()
    print(f"the event loop beside it: waits p99 {statistics.quantiles(delays, n=100)[98]:.1f} ms")


def links(count: int) -> None:
    took = milliseconds(
        lambda: [LINKS.to_receipt(2**62, "K7WQ2M9X-2026-000042") for _ in range(count)]
    )
    print(f"a link: {took / count * 1000:.1f} µs")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.receipts", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FOLDER")
    parser.add_argument("--count", type=int, default=200)
    arguments = parser.parse_args()
    if arguments.write:
        arguments.write.mkdir(parents=True, exist_ok=True)
    press(arguments.write, arguments.count)
    asyncio.run(loop_delay(arguments.count))
    links(20_000)


if __name__ == "__main__":
    main()
