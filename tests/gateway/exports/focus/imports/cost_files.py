"""Cost files to read: one good row, and files with changes of it."""

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from gateway.exports.focus.imports.reader import FocusRejected, read_focus
from gateway.exports.focus.imports.rows import FocusAccount, FocusCost, FocusRow

ROW = {
    "BilledCost": "1.25",
    "EffectiveCost": "0.75",
    "BillingAccountId": "acme",
    "BillingAccountName": "Acme Corp",
    "BillingCurrency": "USD",
    "ChargeCategory": "Usage",
    "ChargeClass": "NULL",
    "ChargeDescription": "GPU by the hour",
    "ChargePeriodStart": "2024-09-18 22:00:00",
    "ChargePeriodEnd": "2024-09-18 23:00:00",
    "ConsumedQuantity": "1.5",
    "ConsumedUnit": "Hours",
    "PricingQuantity": "3",
    "PricingUnit": "Half-Hours",
    "ProviderName": "Cloud",
    "RegionId": "eu-1",
    "ResourceId": "18446744073709551615",
    "ResourceName": "trainer",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "Trainer",
    "SkuId": "sku",
    "SkuPriceId": "sku.price",
    "SubAccountId": "acme-research",
    "SubAccountName": "Research",
}


def as_csv(*rows: Mapping[str, str]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(folder: Path, *changes: dict[str, str], encoding: str = "utf-8") -> Path:
    """Write a file with a row for each of the changes to ROW."""
    path = folder / "cost.csv"
    path.write_bytes(as_csv(*(ROW | change for change in changes)).encode(encoding))
    return path


def read_one(folder: Path, **change: str) -> FocusRow:
    [row] = read_focus(write(folder, change)).rows()
    return row


def reasons(
    path: Path,
    *,
    cost: FocusCost | None = None,
    account_by: FocusAccount = FocusAccount.BILLING,
    project_tag: str | None = None,
    now: datetime | None = None,
) -> list[str]:
    with pytest.raises(FocusRejected) as caught:
        read_focus(path, cost=cost, account_by=account_by, project_tag=project_tag, now=now)
    return [str(error) for error in caught.value.errors]
