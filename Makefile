# Everything a newcomer needs: `make demo` and `make test`. Python 3.11 and make are enough; the rest is installed here.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
SIZES ?= 100000,1000000

# Nothing that runs here reports home.
export DO_NOT_TRACK = 1
export PREFECT_SERVER_ANALYTICS_ENABLED = false
export DBT_SEND_ANONYMOUS_USAGE_STATS = false
export PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS = 180

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-browser lint format check fuzz oracle laws torture bench docs lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.runtime ## install what the product needs into .venv; then the command is .venv/bin/o2c

demo: .venv/.runtime ## play some mornings of a made-up ledger and show what was decided
	@$(BIN)/o2c --home var/demo demo

test: .venv/.dev ## run all tests
	@$(BIN)/python -m pytest -n 2

lint: .venv/.dev ## format, lint, types and SQL shape, nothing changed
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/ty check
	@$(BIN)/sqlfmt --check --quiet dbt_project

format: .venv/.dev ## write Python and SQL in their one shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/sqlfmt --quiet dbt_project

check: lint ## lint, unit tests and a dbt build on a small ledger
	@$(BIN)/python -m pytest -n 2 tests/unit tests/dbt

test-browser: .venv/.dev ## open the finance page in the system's Chromium (install chromium first)
	@$(BIN)/python -m pytest -rs tests/browser

fuzz: .venv/.dev ## 10,000 spoilt files per bank format (O2C_FUZZ=10000)
	@O2C_FUZZ=$${O2C_FUZZ:-10000} $(BIN)/python -m pytest -n 2 tests/fuzz

laws: .venv/.dev ## the laws of cash application on 500 random books (O2C_LAW_EXAMPLES=500)
	@O2C_LAW_EXAMPLES=$${O2C_LAW_EXAMPLES:-500} $(BIN)/python -m pytest -n 2 tests/unit/matching

oracle: .venv/.dev ## 10,000 random ledgers against the definitions worked out by hand (O2C_ORACLE=10000)
	@O2C_ORACLE=$${O2C_ORACLE:-10000} $(BIN)/python -m pytest -n 2 --dist loadscope tests/oracle

torture: .venv/.dev ## 10,000 messages and 200 killed workers against a stub SES, 200 killed pipelines and one kill at every step (O2C_TORTURE=10000, O2C_KILLS=200)
	@O2C_TORTURE=$${O2C_TORTURE:-10000} O2C_KILLS=$${O2C_KILLS:-200} $(BIN)/python -m pytest -n 2 tests/torture

docs: .venv/.runtime ## write a page of every table, column, test and metric: var/docs/static_index.html
	@mkdir -p var/docs
	@O2C_SPILL=$(CURDIR)/var/docs/spill $(BIN)/dbt docs generate --quiet --static --empty-catalog --no-version-check --no-partial-parse \
	  --project-dir dbt_project --profiles-dir dbt_project --target-path $(CURDIR)/var/docs --log-path $(CURDIR)/var/docs
	@echo "var/docs/static_index.html"

bench: .venv/.dev ## time and memory stage by stage beside two references (SIZES=100000,1000000)
	@$(BIN)/python bench/run.py --sizes $(SIZES)
	@$(BIN)/python bench/bank.py
	@$(BIN)/python bench/backfill.py
	@$(BIN)/python bench/cash.py
	@$(BIN)/python bench/delivery.py

lock: .venv/.dev ## choose versions anew and write the locks, without addresses
	@$(BIN)/uv lock --quiet --upgrade
	@$(BIN)/uv export --quiet --frozen --no-emit-project --no-header --no-annotate --no-dev --group build -o requirements.lock > /dev/null
	@$(BIN)/uv export --quiet --frozen --no-emit-project --no-header --no-annotate --all-groups -o requirements-dev.lock > /dev/null

clean: ## delete what was installed and made here
	rm -rf .venv var dbt_project/target dbt_project/logs bench/out

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "o2c needs Python 3.11: install it, or name it with make PYTHON=...")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

.venv/.runtime: requirements.lock pyproject.toml .venv/bin/uv
	@$(call install,requirements.lock)
	@touch $@

.venv/.dev: requirements-dev.lock pyproject.toml .venv/bin/uv
	@$(call install,requirements-dev.lock)
	@touch $@

# uv is ten times faster; pip takes the same file where uv cannot reach the index that pip is set up for. Compiled once
# here, the thousands of modules below Prefect and dbt import in half the time in every process that follows.
define install
VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --compile-bytecode --no-deps --require-hashes -r $(1) \
  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(1)
VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --offline -e .
endef
