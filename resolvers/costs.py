"""Costs that several fields share; see `gateway.execution.fields.Cost`."""

from typing import Final

from gateway.execution.fields import Cost

ONE_ROW: Final = Cost(rows=1)
LONG_TEXT: Final = Cost(length=2_000)
LINK: Final = Cost(length=500)
"""A signed download link; only a long filter makes a longer one."""
RECENT_DAYS: Final = Cost(rows=8)
"""The daily rows that a burn rate is computed of, and the last 24 hours."""
DOCUMENT_YEARS: Final = Cost(items=10, rows=10)
"""As many years as an account usually has at most."""
REFUNDS: Final = Cost(items=3, rows=3)
"""A purchase may have up to 100 refunds; most have none."""
KINDS: Final = 7
"""Of resources, such as GPU or CPU; a kind that is metered in two units counts once."""
EVENTS_A_DAY: Final = 300
"""Usage events of a day that a filter selects, as an estimate: three deployments, four resources of
each metered hourly.
"""
RESOURCES: Final = Cost(items=KINDS, rows="readings")
