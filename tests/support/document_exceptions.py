"""The commands of the documents that are not run from the documents themselves."""

from pathlib import Path
from typing import Final

from tests.support.documents import Block, blocks_of

BENCHES: Final = "tests/bench/test_benches.py::test_a_measurement_runs"
ROWS: Final = "tests/bench/test_benches.py::test_a_row_of_the_bar_is_measured"
NO_DOCKER: Final = "Docker: tests/test_docker.py checks the compose files and what they start"
CI: Final = "CI runs it"

ELSEWHERE: Final = {
    # README.md and what it leads to
    "make run": f"{CI}'s `make test` builds what it needs; test_targets_can_be_made",
    "make test": CI,
    "make check": CI,
    "make audit": "asks feeds of vulnerabilities; test_targets_can_be_made",
    "make bench": "tests/bench/test_benches.py::test_operations_are_measured_beside_peers",
    "EXAMPLES=500 make test": f"{CI}, with fewer examples",
    "make soak": "tests/scenarios/chaos/test_killed_workers.py, with fewer kills",
    "make histories": "tests/gateway/providers/stripe/test_histories.py, with fewer examples",
    "make usage-queries": "tests/scenarios/test_usage_queries.py, with fewer examples",
    "make clean": "removes the tools that tests run by; test_targets_can_be_made",
    "make lock": "asks the package index for newer versions; test_targets_can_be_made",
    "make focus-validator": "needs Python 3.12 and the validator; test_targets_can_be_made",
    "python -m tests.bench.operations": "tests/bench/test_benches.py"
    "::test_operations_are_measured_beside_peers",
    "python -m tests.bench.overload": "tests/bench/test_benches.py"
    "::test_overload_is_refused_in_little_memory",
    "python -m tests.bench.sockets": "tests/bench/test_benches.py"
    "::test_idle_sockets_let_requests_be_served",
    "python -m tests.bench.exports": ROWS,
    "python -m tests.bench.stored_events": ROWS,
    "python -m tests.bench.subscribers": ROWS,
    "python -m tests.bench.ingest": ROWS,
    "python -m tests.bench.ingest_http": ROWS,
    "python -m tests.bench.shares": BENCHES,
    "python -m tests.bench.forecasts": BENCHES,
    "python -m tests.bench.usage": BENCHES,
    "python -m tests.bench.round_trips": BENCHES,
    "python -m tests.bench.replicas": BENCHES,
    "python -m tests.bench.receipts": BENCHES,
    "python -m tests.bench.page_bytes": "tests/bench/test_benches.py"
    "::test_the_bytes_of_the_open_page_are_counted",
    "docker compose": NO_DOCKER,
    "cd console && npm ci && npm run dev": "serves until it is stopped; the build runs npm too",
    ".venv/bin/python hatch_build.py run dev": "serves until it is stopped; CI runs `run check`",
    "pre-commit": "tests/test_tool_files.py compares its hooks with `make check`",
    "pip wheel": "tests/test_hatch_build.py",
    "docker build": NO_DOCKER,
    "npm ci": "tests/test_hatch_build.py",
    "npm test": "CI runs Vitest once, by `make check`",
    "npm run": "tests/test_document_facts.py::test_every_script_that_is_named_is_one",
    ".venv/bin/python hatch_build.py run check": CI,
    "pip install .": "tests/test_hatch_build.py",
    "gateway import-focus": "tests/gateway/exports/focus/imports/test_importer.py",
    "gateway demo": "tests/gateway/dev/demo/test_scale.py",
    "gateway export": "tests/gateway/cli/test_exports.py",
    "gateway jobs": "tests/gateway/cli/test_jobs.py",
    "gateway row-security": "tests/gateway/migrations/test_row_security_switch.py",
    "gateway account create": "tests/gateway/cli/test_accounts.py",
    "gateway account put-member": "tests/gateway/cli/test_accounts.py",
    "gateway stripe-backfill": "tests/gateway/providers/stripe/test_backfill.py",
    "gateway stripe parked": "tests/gateway/providers/stripe/test_parked.py",
    "gateway stripe backfill": "tests/gateway/providers/stripe/test_backfill.py",
    "gateway stripe retry": "tests/gateway/providers/stripe/test_parked.py",
    "gateway stripe ignore": "tests/gateway/providers/stripe/test_parked.py",
    "gateway openapi": "tests/scenarios/test_api_page.py",
    "gateway schema >": "tests/resolvers/test_schema.py, which compares the file",
    "gateway settings": "tests/test_document_facts.py, which compares the page",
    "gateway api-key create": "tests/gateway/auth/test_api_keys.py",
    "gateway api-key revoke": "tests/gateway/auth/test_api_keys.py",
    # docs/integrating.md
    "npm install oidc-provider": "tests/browser/test_integrating.py installs it",
    "node provider.mjs": "tests/browser/test_integrating.py serves it",
    "python3 -m venv .venv": "tests/test_hatch_build.py installs the wheel",
    ".venv/bin/pip install": "tests/test_hatch_build.py installs the wheel",
    "sudo BILLING_HOST=billing.example.com": "needs a name that leads to this machine; "
    "tests/test_docker.py::test_the_proxy_configuration_is_valid",
    "sudo docker/make-secrets": "tests/test_docker.py::test_secrets_that_are_there_stay",
}
"""Commands by their beginning: the test that runs each, or why none does."""


BY_THEMSELVES: Final = {"api.md": "tests/scenarios/test_api_page.py"}
"""Documents of examples, by name: the test that runs all that each has."""


def elsewhere(command: str) -> str | None:
    """Return the entry that speaks of a command."""
    return next((each for each in ELSEWHERE if command.startswith(each)), None)


def runnable_blocks(path: Path) -> list[Block]:
    """Return a document's blocks without those of which a command is run elsewhere."""
    return [each for each in blocks_of(path) if _is_runnable(each)]


def _is_runnable(block: Block) -> bool:
    return not any(elsewhere(command) for command in block.commands if "export " not in command)
