# Every command of the project. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAM_BIN := $(VENV)/envs/sam/bin
AWS_BIN := $(VENV)/envs/local-aws/bin
UV := $(BIN)/uv
LOCKS := $(wildcard requirements/*.txt)

# Nothing is written outside the project: caches of pip, uv and SAM stand beside what they fill.
export PIP_CACHE_DIR ?= $(CURDIR)/$(VENV)/cache/pip
export UV_CACHE_DIR ?= $(CURDIR)/$(VENV)/cache/uv
export UV_PYTHON_DOWNLOADS := never
export PRE_COMMIT_HOME ?= $(CURDIR)/$(VENV)/cache/pre-commit
export __SAM_CLI_APP_DIR := $(CURDIR)/.demo/sam
export SAM_CLI_TELEMETRY := 0

COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --custom-compile-command "make lock"

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: install
install: $(VENV)/.installed ## Create .venv with everything the other commands need

# Three environments, because the SAM command line and the local AWS each pin boto3 for themselves.
$(VENV)/.installed: $(LOCKS) pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; install Python 3.11 or newer, or name it: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	@echo "installing into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(UV) venv --quiet --clear --python $(BIN)/python $(VENV)/envs/sam
	@$(UV) pip install --quiet --python $(SAM_BIN)/python --require-hashes -r requirements/sam.txt
	@$(UV) venv --quiet --clear --python $(BIN)/python $(VENV)/envs/local-aws
	@$(UV) pip install --quiet --python $(AWS_BIN)/python --require-hashes -r requirements/local-aws.txt
	@touch $@

.PHONY: demo
demo: install ## Play a day through the deployed functions on a local AWS (TRACE=file plays a real trace)
	@$(BIN)/python -m emr_simulator.rehearsal $(if $(TRACE),--trace "$(TRACE)")

# The end-to-end tests share one deployed stack and so one process; the others are spread over two.
.PHONY: test
test: install ## Run all tests, or those that ARGS names
ifdef ARGS
	$(BIN)/pytest $(ARGS)
else
	$(BIN)/pytest --quiet --numprocesses 2 --ignore tests/e2e --ignore tests/browser
	$(BIN)/pytest --quiet tests/e2e
endif

# The real engine, from the package that AWS Amplify tests with. Optional: it needs Java 17, node and npm.
DYNAMODB := $(VENV)/envs/dynamodb
.PHONY: test-dynamodb
test-dynamodb: install ## Run the cost store's tests on DynamoDB Local (needs Java 17 and npm)
	@if ! command -v java >/dev/null || ! command -v npm >/dev/null; then \
	  echo "make test-dynamodb: skipped, for java or npm is missing"; exit 0; fi; \
	test -d $(DYNAMODB)/node_modules || npm install --silent --no-audit --no-fund --ignore-scripts \
	  --cache $(VENV)/cache/npm --prefix $(DYNAMODB) amplify-dynamodb-simulator@2.9.30; \
	$(BIN)/python -m tests.support.dynamodb_local $(DYNAMODB) -p no:cacheprovider -k endpoint \
	  tests/contract/stores/test_cost_store.py tests/contract/stores/test_cost_history_store.py \
	  tests/contract/stores/test_price_store.py tests/docs/test_cost_queries.py $(ARGS)

# The public validator wants Python 3.12 and pins its own libraries: an environment of its own.
FOCUS := $(VENV)/envs/focus
PYTHON_FOR_FOCUS ?= python3.12
.PHONY: test-focus
test-focus: install ## Validate an export with the public FOCUS validator (needs Python 3.12)
	@if ! $(PYTHON_FOR_FOCUS) -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then \
	  echo "make test-focus: skipped, for $(PYTHON_FOR_FOCUS) is missing; name one: make test-focus PYTHON_FOR_FOCUS=..."; exit 0; fi; \
	test -x $(FOCUS)/bin/focus-validator || { $(PYTHON_FOR_FOCUS) -m venv $(FOCUS) && \
	  $(FOCUS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/focus.txt; }; \
	$(BIN)/python -m tests.support.focus_sample $(FOCUS)/sample.csv && \
	$(FOCUS)/bin/python tests/support/focus_validation.py $(FOCUS)/sample.csv

# Java and Maven are needed for this alone; Hadoop goes into .yarn/.
.PHONY: test-yarn
test-yarn: install ## Compare the simulator with a real YARN ResourceManager (skipped without Java and Maven)
	@$(BIN)/python -m emr_simulator.yarn_check $(ARGS)

.PHONY: test-browser
test-browser: install ## Look at the report pages in headless Chromium (skipped where there is none)
	@$(BIN)/python -c 'import sys; from tests.support.browser import find_browser as find; sys.exit(not find())' \
	  || echo "make: no Chromium found, so the browser tests are skipped; for them install it (Debian: apt-get install chromium)"
	$(BIN)/pytest --quiet tests/browser

.PHONY: check
check: install ## Check format, lint, types, import contracts, the template and the documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports
	AWS_DEFAULT_REGION=us-east-1 $(SAM_BIN)/sam validate --lint
	$(BIN)/pytest --quiet tests/docs

.PHONY: docs
docs: install ## Write the generated documents again
	$(BIN)/python -m emr_autoscaler.messages.policy_schema > docs/policy.schema.json
	$(BIN)/python -m emr_autoscaler_cli.reasons > docs/reasons.md

.PHONY: figures
figures: install ## Draw the documents' pictures again (BENCHMARK=DIR, LONG_TASKS=DIR: the frontiers of results too)
	@$(BIN)/python -m emr_simulator.pictures docs/images $(if $(BENCHMARK),--benchmark "$(BENCHMARK)") $(if $(LONG_TASKS),--long-tasks "$(LONG_TASKS)")

.PHONY: clean
clean: ## Remove everything the other commands made
	rm -rf $(VENV) .demo .yarn .aws-sam .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache out build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: lock
lock: install ## Pin every requirement again, with hashes
	$(COMPILE) requirements/bootstrap.in -o requirements/bootstrap.txt
	$(COMPILE) requirements/layer.in -o requirements/layer.txt
	$(COMPILE) requirements/parquet.in -o requirements/parquet.txt
	$(COMPILE) requirements/dev.in -o requirements/dev.txt
	$(COMPILE) requirements/sam.in -o requirements/sam.txt
	$(COMPILE) requirements/local-aws.in -o requirements/local-aws.txt
	$(COMPILE:3.11=3.12) requirements/focus.in -o requirements/focus.txt
