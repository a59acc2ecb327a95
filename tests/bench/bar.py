"""The bar: what each measurement has to reach, and whether it does.

`earlier` is the figure before documents were compiled into plans, on a quiet machine: of
November 2026, in interleaved rounds beside the same peers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tests.bench.figures import Figures

Value: TypeAlias = Callable[[Figures], float]
"""Reads a value from figures. Raises KeyError where one was not measured."""


def figure(name: str) -> Value:
    return lambda figures: figures[name]


def ratio(name: str, base: str) -> Value:
    return lambda figures: figures[name] / figures[base]


def largest(*values: Value) -> Value:
    return lambda figures: max(each(figures) for each in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: a value of a work with its limit. `unit` follows the value, spaces included."""

    work: str
    title: str
    value: Value
    at_least: float | None = None
    at_most: float | None = None
    unit: str = " ×"
    earlier: str = "–"

    @property
    def bar(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g}{self.unit}"
        return "–" if self.at_most is None else f"≤ {self.at_most:g}{self.unit}"

    def reached(self, value: float) -> str:
        if self.at_least is None and self.at_most is None:
            return "–"
        low, high = self.at_least, self.at_most
        within = (low is None or value >= low) and (high is None or value <= high)
        return "yes" if within else "**no**"


def _beside(
    work: str, connections: int, server: str = "gateway", peer: str = "mercurius", of: str = "rate"
) -> Value:
    """Return a figure of a server divided by a peer's."""
    return ratio(f"{work}/{server}/{connections}/{of}", f"{work}/{peer}/{connections}/{of}")


COUNTS: Final = (1, 16, 64)
PAGE: Final = "`ConsolePage`"
WHOLE: Final = 100
"""Values from here on are printed without decimals."""

ROWS: Final[Sequence[Row]] = (
    *(
        Row(
            work="page",
            title=f"{PAGE}, Postgres, c={count}, × Mercurius JIT",
            value=_beside("page", count),
            at_least=least,
            earlier=earlier,
        )
        for count, least, earlier in zip(
            COUNTS, (1.2, 1.5, 1.5), ("0.17", "0.14", "0.13"), strict=True
        )
    ),
    Row(
        work="page",
        title=f"{PAGE}, largest ratio of p99 to Mercurius', c=1, 16, 64",
        value=largest(*(_beside("page", count, of="p99") for count in COUNTS)),
        at_most=1,
    ),
    Row(
        work="page",
        title=f"{PAGE}, resident memory, of Mercurius'",
        value=ratio("page/gateway/memory", "page/mercurius/memory"),
        at_most=1,
    ),
    Row(
        work="page",
        title=f"{PAGE}, c=16, × plain Strawberry",
        value=_beside("page", 16, peer="plain"),
        at_least=20,
        earlier="8.0",
    ),
    *(
        Row(
            work="page",
            title=f"{PAGE}, SQLite, c={count}, × Mercurius JIT on Postgres",
            value=_beside("page", count, server="sqlite"),
            at_least=1,
            earlier=earlier,
        )
        for count, earlier in zip(COUNTS, ("0.12", "0.11", "0.10"), strict=True)
    ),
    Row(
        work="page",
        title=f"{PAGE}, c=16, Postgres' CPU, of its CPU for Mercurius",
        value=_beside("page", 16, of="postgres_cpu"),
        at_most=round(1.6 / 2.4, 2),
        earlier="2.8 (6.4 ms)",
    ),
    *(
        Row(
            work="many",
            title=f"`ManyAccounts(first: 100)`, c={count}, × Mercurius JIT",
            value=_beside("many", count),
            at_least=1,
            earlier=earlier,
        )
        for count, earlier in ((1, "0.16"), (16, "none finished in 2 s"))
    ),
    Row(
        work="name",
        title="account `{ id name }`, c=16, of a bare ASGI application",
        value=_beside("name", 16, peer="bare"),
        at_least=0.6,
        earlier="0.12 × Mercurius",
    ),
    Row(
        work="balance",
        title="balance of an account, c=16, of a bare ASGI application",
        value=_beside("balance", 16, peer="bare"),
        at_least=0.6,
        earlier="0.11 × Mercurius",
    ),
    Row(
        work="typename",
        title="`{ __typename }`, c=16, × Mercurius JIT",
        value=_beside("typename", 16),
        earlier="0.10",
    ),
    Row(
        work="unseen-page",
        title=f"{PAGE} never seen before, c=16, × Mercurius JIT",
        value=_beside("unseen-page", 16),
        at_least=0.5,
        earlier="0.17",
    ),
    *(
        Row(
            work="stored-events",
            title=f"year of weeks on {name}, slowest zone: most stored events against fewest",
            value=figure(f"stored-events/{database}/ratio"),
            at_most=1.3,
        )
        for database, name in (("postgresql", "Postgres"), ("sqlite", "SQLite"))
    ),
    *(
        Row(
            work="usage",
            title=f"year of weeks by deployment with two filters on {name}, {where}, "
            "× the default view",
            value=largest(*(figure(f"usage/{database}/request/{zone}/ratio") for zone in zones)),
            at_most=most,
        )
        for database, name in (("postgresql", "Postgres"), ("sqlite", "SQLite"))
        for where, zones, most in (
            ("own zone", ("UTC",), 10),
            ("other zones", ("America/New_York", "Asia/Kolkata"), 60),
        )
    ),
    Row(
        work="push",
        title="push to all subscribers, × faster than `graphql-ws`",
        value=ratio("push/graphql-ws/ms", "push/gateway/ms"),
        at_least=2.2,
        earlier="3.3",
    ),
    Row(
        work="push",
        title="memory of a subscriber",
        value=figure("push/gateway/kB"),
        at_most=25,
        unit=" kB",
        earlier="21.5 kB",
    ),
    Row(
        work="ingestion",
        title="ingestion with everything in its transaction, of a bare COPY",
        value=figure("ingestion/postgresql/ratio"),
        at_least=0.45,
        earlier="0.48",
    ),
    Row(
        work="ingestion-http",
        title="ingestion over HTTP, of a bare COPY",
        value=ratio("ingestion-http/postgresql/rate", "ingestion/postgresql/load"),
        at_least=0.15,
        earlier="0.18",
    ),
    *(
        row
        for database, name, speed, memory, small in (
            ("postgresql", "Postgres", "0.76", "5 MB", "3.8"),
            ("sqlite", "SQLite", "0.39", "22 MB", "1.6"),
        )
        for row in (
            Row(
                work="exports",
                title=f"CSV export on {name}, of a bare cursor",
                value=figure(f"exports/{database}/ratio"),
                at_least=0.75,
                earlier=speed,
            ),
            Row(
                work="exports",
                title=f"CSV export on {name}, more memory",
                value=figure(f"exports/{database}/memory"),
                at_most=50,
                unit=" MB",
                earlier=memory,
            ),
            Row(
                work="exports",
                title=f"p50 of a small query beside a CSV export on {name}, of its p50 alone",
                value=figure(f"exports/{database}/small"),
                at_most=2,
                earlier=small,
            ),
        )
    ),
    Row(
        work="overload",
        title="3 × overload: good answers a second, of the peak's",
        value=figure("overload/goodput"),
        at_least=0.7,
        earlier="0.71",
    ),
    Row(
        work="overload",
        title="3 × overload: refused with 503 and Retry-After, of all that got no good answer",
        value=figure("overload/refused"),
        at_least=1,
        earlier="0",
    ),
    Row(
        work="overload",
        title="3 × overload: p99 until a refusal",
        value=figure("overload/refusal"),
        at_most=100,
        unit=" ms",
    ),
    Row(
        work="overload",
        title="3 × overload: until answers come at 90 % of the peak again",
        value=figure("overload/recovery"),
        at_most=5,
        unit=" s",
    ),
    Row(
        work="sockets",
        title=f"{PAGE}, c=16, p99 beside 1,500 idle, slow and half-shaken sockets, of that alone",
        value=ratio("sockets/beside/p99", "sockets/alone/p99"),
        at_most=1.5,
    ),
    Row(
        work="sockets",
        title=f"{PAGE}, c=16, the gateway's CPU beside these sockets, of its CPU alone",
        value=ratio("sockets/beside/cpu", "sockets/alone/cpu"),
        at_most=1.2,
    ),
)


def others(work: str, figures: Figures) -> float:
    """Return the most cores that other processes took in a work's rounds."""
    return max(
        (
            value
            for name, value in figures.items()
            if name.startswith(f"{work}/") and name.endswith("/others")
        ),
        default=0.0,
    )


def table(works: Sequence[str], figures: Figures) -> Iterator[str]:
    """Yield the rows of the bar for some works, as Markdown."""
    yield "| work | bar | measured | reached | earlier | others, cores |"
    yield "|---|---|---|---|---|---|"
    for row in ROWS:
        if row.work not in works:
            continue
        try:
            value = row.value(figures)
        except (KeyError, ZeroDivisionError):
            measured, reached = "not measured", "–"
        else:
            digits = ",.0f" if value >= WHOLE else ".3g"
            measured, reached = f"{value:{digits}}{row.unit}", row.reached(value)
        disturbed = f"{others(row.work, figures):.1f}"
        yield f"| {row.title} | {row.bar} | {measured} | {reached} | {row.earlier} | {disturbed} |"
