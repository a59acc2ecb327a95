.PHONY: run test check bench lock clean
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
export UV_SYSTEM_CERTS := 1
export UV_LINK_MODE := copy

run: $(VENV)/.installed
	$(BIN)/gateway serve --dev

test: $(VENV)/.installed
	$(BIN)/pytest $(ARGS)

check: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/gateway schema --check

bench: $(VENV)/.installed
	$(BIN)/python -m tests.bench $(ARGS)

lock: $(VENV)/.uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --group dev --output-file requirements.lock pyproject.toml

$(VENV)/.uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	touch $@

$(VENV)/.synced: requirements.lock | $(VENV)/.uv
	$(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	$(BIN)/python -m ensurepip --version >/dev/null 2>&1 || true
	touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.synced
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf $(VENV) .gateway .pytest_cache .mypy_cache .ruff_cache .hypothesis
