"""Says at the end of a run how many histories were tried, and what differed."""

import pytest

from tests.support.histories.figures import TALLIES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for database, tally in sorted(TALLIES.items()):
        terminalreporter.write_line(f"{database}: {tally}.")
