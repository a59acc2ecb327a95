"""What each process of a parallel run tests: whole files, the dear ones first."""

from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER: Final = ("tests/browser/", "tests/scenarios/chaos/")
"""Folders with a server that all their files share: one process runs them."""

DEAR_FIRST: Final = (*TOGETHER, "tests/bench/", "tests/scenarios/")
"""Folders of long tests: at the end of a run one of them would keep the other processes idle."""


class Shares(LoadScopeScheduling):  # type: ignore[misc]  # a class without types
    """Gives a process one file after another, or all files of a folder at once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    ranks = (rank for rank, folder in enumerate(DEAR_FIRST) if nodeid.startswith(folder))
    return next(ranks, len(DEAR_FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares:
    config.option.loadscopereorder = False
    return Shares(config, log)
