.PHONY: run test check audit bench histories usage-queries soak focus-validator lock clean
.DELETE_ON_ERROR:

PYTHON ?= python3
FOCUS_PYTHON ?= python3.12
VENV := .venv
BIN := $(VENV)/bin
export UV_SYSTEM_CERTS := 1
export UV_LINK_MODE := copy
# A gateway that compiles all it imports takes three times as long to start, and tests start many.
unexport PYTHONDONTWRITEBYTECODE

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header --extra cjk --extra parquet --extra redis pyproject.toml

# The page, built with a Node from PyPI; GATEWAY_SKIP_CONSOLE=1 leaves it out.
PAGE := gateway/static/.built-from
PAGE_SOURCES := $(shell find console -type f -not -path '*/node_modules/*' -not -path '*/generated/*') \
  hatch_build.py schema.graphql

ifeq ($(filter-out 0,$(GATEWAY_SKIP_CONSOLE)),)
run test: $(PAGE)
check: $(VENV)/.page-checked
endif

run: $(VENV)/.installed
	$(BIN)/gateway serve --dev

# A process for each processor, each with its own Postgres. The floor of coverage is that of the whole suite.
test: $(VENV)/.dev
ifeq ($(ARGS),)
	$(BIN)/pytest --numprocesses=$(if $(TEST_DATABASE_URL),0,logical) --maxprocesses=4 --cov --cov-report=
else
	$(BIN)/pytest $(ARGS)
endif

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/gateway schema --check
	$(BIN)/gateway openapi --check
	$(BIN)/gateway settings --check

audit: $(VENV)/.installed
	$(BIN)/uv tool run pip-audit --require-hashes --disable-pip --requirement requirements.lock
	$(BIN)/python hatch_build.py audit --omit=dev

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench $(ARGS)

histories: $(VENV)/.dev
	EXAMPLES=$${EXAMPLES:-3000} $(BIN)/pytest tests/gateway/providers/stripe/test_histories.py $(ARGS)

# Random usage queries beside the raw events; fewer run with `make test`.
usage-queries: $(VENV)/.dev
	EXAMPLES=$${EXAMPLES:-500} $(BIN)/pytest tests/scenarios/test_usage_queries.py --timeout 7200 $(ARGS)

soak: $(VENV)/.dev
	KILLS=$${KILLS:-200} $(BIN)/pytest tests/scenarios/chaos -rP $(ARGS)

focus-validator: $(VENV)/.dev
	$(BIN)/python -m tests.focus_validator $(FOCUS_PYTHON) $(ARGS)

lock: $(VENV)/.uv
	$(COMPILE) --group build --output-file requirements.lock
	$(COMPILE) --group dev --constraints requirements.lock --output-file tests/requirements.lock

clean:
	rm -rf $(VENV) gateway/static console/node_modules .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache tests/*/*/node_modules tests/bench/peers/*/node_modules

$(VENV)/.uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	touch $@

# Two steps, because an editable project cannot stand beside hashes.
$(VENV)/.installed: pyproject.toml requirements.lock | $(VENV)/.uv
	$(BIN)/uv pip install --quiet --require-hashes --requirement requirements.lock
	GATEWAY_SKIP_CONSOLE=1 $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(PAGE): $(PAGE_SOURCES) | $(VENV)/.installed
	$(BIN)/python hatch_build.py

$(VENV)/.page-checked: $(PAGE_SOURCES) | $(VENV)/.installed
	$(BIN)/python hatch_build.py run check
	touch $@

$(VENV)/.dev: tests/requirements.lock | $(VENV)/.installed
	$(BIN)/uv pip install --quiet --require-hashes --requirement tests/requirements.lock
	touch $@
