"""The content of a statement: movements by day, usage by project and deployment, taxes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from gateway.billing.purchases.taxes import added_up, printed_taxes, share_of
from gateway.money import format_amount, format_quantity
from gateway.store.statement_facts import Move, PartUsage, UsedDay
from gateway.store.statements import (
    StatementDay,
    StatementDeployment,
    StatementMovement,
    StatementResource,
    StatementUsage,
)
from gateway.store.taxes import PrintedTax, TaxLine, parse_taxes
from gateway.windows import local_day

PARTS: Final[Mapping[int, str]] = {0: "MONTH", -1: "EARLIER", 1: "LATER"}
"""The parts of usage by their number in `PartUsage`, in the order in which they are printed."""

_Deployment = tuple[str, int]
"""A project and a deployment's key; an empty text and 0 where there is none."""


def movements_by_day(
    moves: Sequence[Move],
    used: Sequence[UsedDay],
    *,
    opening: int,
    zone: ZoneInfo,
    currency: str,
) -> list[StatementDay]:
    """Return the days with movements, oldest first: each entry, and one movement for the usage that
    was recorded on the day, in the order of their versions.
    """
    days: defaultdict[date, list[tuple[int, int, StatementMovement]]] = defaultdict(list)
    for move in moves:
        place = days[local_day(move["recorded_at"], zone)]
        place.append((move["version"], move["amount_nanos"], _movement(move, currency)))
    for each in used:
        amount = each["amount_nanos"]
        movement = StatementMovement(cause="USAGE", amount=format_amount(amount, currency))
        days[each["day"]].append((each["version"], amount, movement))
    listed: list[StatementDay] = []
    balance = opening
    for day, entries in sorted(days.items()):
        balance += sum(amount for _, amount, _ in entries)
        entries.sort(key=lambda entry: entry[0])
        listed.append(
            {
                "date": day.isoformat(),
                "movements": [movement for _, _, movement in entries],
                "balance": format_amount(balance, currency),
            }
        )
    return listed


def _movement(move: Move, currency: str) -> StatementMovement:
    movement = StatementMovement(
        cause=move["cause"], amount=format_amount(move["amount_nanos"], currency)
    )
    if move["kind"]:
        movement["kind"] = move["kind"]
    if move["description"]:
        movement["description"] = move["description"]
    if move["document"]:
        movement["document"] = move["document"]
    return movement


def usage_by_part(rows: Iterable[PartUsage], currency: str) -> list[StatementUsage]:
    """Return the usage of each part that has any."""
    found: defaultdict[int, list[PartUsage]] = defaultdict(list)
    for row in rows:
        found[row["part"]].append(row)
    return [
        {
            "part": name,
            "spent": format_amount(spend_of(found[part]), currency),
            "deployments": _deployments(found[part], currency),
        }
        for part, name in PARTS.items()
        if part in found
    ]


def spend_of(rows: Iterable[PartUsage]) -> int:
    """Return the sum of usage in nanos."""
    return sum(row["spent_nanos"] for row in rows)


def _deployments(rows: Iterable[PartUsage], currency: str) -> list[StatementDeployment]:
    """Return the deployments by project, the projects by name and usage without one last; in each,
    the largest spend first.
    """
    found: defaultdict[_Deployment, list[PartUsage]] = defaultdict(list)
    for row in rows:
        found[row["project"] or "", row["deployment_id"] or 0].append(row)

    def order(item: tuple[_Deployment, list[PartUsage]]) -> tuple[bool, str, int, int]:
        (project, deployment), mine = item
        return not project, project, -spend_of(mine), deployment

    return [
        {
            "project": project or None,
            "deployment": mine[0]["name"] or mine[0]["external_id"],
            "externalId": mine[0]["external_id"],
            "spent": format_amount(spend_of(mine), currency),
            "resources": _resources(mine, currency),
        }
        for (project, _), mine in sorted(found.items(), key=order)
    ]


def _resources(rows: Iterable[PartUsage], currency: str) -> list[StatementResource]:
    quantities: defaultdict[tuple[str, str], int] = defaultdict(int)
    spends: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        measure = (row["resource"], row["unit"])
        quantities[measure] += int(row["quantity_nanos"]) * row["number"]
        spends[measure] += row["spent_nanos"]
    return [
        {
            "resource": resource,
            "unit": unit,
            "quantity": format_quantity(quantity),
            "spent": format_amount(spends[resource, unit], currency),
        }
        for (resource, unit), quantity in sorted(quantities.items())
    ]


def taxes_of(moves: Iterable[Move], currency: str) -> list[PrintedTax]:
    """Return the taxes that were paid, less those refunded, by name and percentage."""
    lines: list[TaxLine] = []
    for move in moves:
        tax = move["tax_nanos"]
        if tax:
            sign = 1 if tax > 0 else -1
            shares = share_of(parse_taxes(move["taxes"]), abs(tax), currency)
            lines += [line._replace(nanos=sign * line.nanos) for line in shares]
    return printed_taxes(added_up(lines), currency)
