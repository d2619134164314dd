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
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

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

.PHONY: lock
lock: ## Pin every requirement again, with hashes
	$(COMPILE) requirements/bootstrap.in -o requirements/bootstrap.txt
	$(COMPILE) requirements/layer.in -o requirements/layer.txt
	$(COMPILE) requirements/dev.in -o requirements/dev.txt
	$(COMPILE) requirements/sam.in -o requirements/sam.txt
	$(COMPILE) requirements/local-aws.in -o requirements/local-aws.txt

.PHONY: docs
docs: $(VENV)/.installed ## Write the generated parts of docs/
	@$(BIN)/python -m emr_autoscaler.messages.policy_schema > docs/policy.schema.json
