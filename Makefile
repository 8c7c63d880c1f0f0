# Every target that a person or CI calls; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

STAGE ?= dev
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$python && break; done)

export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Node.js comes from the environment's own wheel, so that its age on this machine does not matter.
export JSII_NODE := $(CURDIR)/.venv/bin/node
export CDK_DISABLE_CLI_TELEMETRY := true
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

# What a switch such as FAST= means by off.
OFF := 0 no false off

READY := .venv/.ready-$(shell cat requirements-dev.txt requirements-airflow.txt requirements-dbt.txt scripts/set_up 2>/dev/null | cksum | tr ' ' '-')

.PHONY: help setup test campaign bench rehearse check format synth cdk docs reports lock clean explain redrive replay doctor warehouse-plan

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo; echo "  STAGE=dev|stage|prod chooses the stage of synth; README.md says more."

$(READY):
	@PYTHON="$(PYTHON)" bash scripts/set_up
	@rm -f .venv/.ready-*; touch $@

setup: $(READY) ## install all that the other targets need, into .venv, .venv-airflow and .venv-dbt (they call it themselves)

test: $(READY) ## run the test suite, all but the campaign
	@python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -rs $(ARGS)

campaign: $(READY) ## run the tests that take minutes: real Spark through the whole platform
	@python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -m campaign -rs $(ARGS)

rehearse: $(READY) ## rehearse the whole platform here; SHOWS=, EVENTS=, FILES=, FAST=1, ALL=1, KEEP=1, SEED=, COUNT=, ARGS="--help"
	@python -m rehearsal $(if $(SHOWS),--shows "$(SHOWS)") $(if $(EVENTS),--events "$(EVENTS)") \
		$(if $(FILES),--files "$(FILES)") $(if $(filter-out $(OFF),$(FAST)),--fast) $(if $(filter-out $(OFF),$(ALL)),--all) $(if $(filter-out $(OFF),$(KEEP)),--keep) $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT)) --stage $(STAGE) $(ARGS)

bench: $(READY) ## measure the lake job, or others: ARGS=flatten, ARGS=ingest, ARGS=plan; ARGS="flatten --help"
	@python -m bench $(ARGS)

check: $(READY) ## check format, lint, types and the import law
	@ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@ruff check --quiet .
	@mypy --no-error-summary .
	@python -m pytest tests/test_import_law.py
	@echo "format, lint, types and import law are in order"

format: $(READY) ## format the code and mend what lint can mend by itself
	@ruff check --quiet --fix . ; ruff format .

synth: $(READY) ## write the assembly of STAGE to cdk.out, validators on
	@CDK_OUTDIR=cdk.out CDK_CONTEXT_JSON='{"stage": "$(STAGE)"}' python app.py
	@echo "cdk.out holds the templates of stage $(STAGE)"

cdk: $(READY) node_modules/.ready ## run the pinned CDK command line: make cdk ARGS="deploy --all -c stage=dev"
	@node node_modules/aws-cdk/bin/cdk $(ARGS)

node_modules/.ready: package-lock.json | $(READY)
	@node .venv/npm/bin/npm-cli.js ci --no-audit --no-fund --loglevel=error
	@touch $@

docs: $(READY) ## write what the contracts say: docs/data, the client's schemas, published versions
	@for part in publish docs schemas client; do python -m contracts $$part >/dev/null || exit 1; done; echo "what the contracts say is up to date"

reports: $(READY) ## compile the SQL models of reports for each engine, into reports/compiled
	@python -m reports compile

lock: $(READY) ## compile requirements*.in to hashed requirements*.txt for Python 3.11 to 3.13
	@bash scripts/lock

explain: $(READY) ## say what failed and why, of a deployed STAGE; ARGS="--since 2026-11-18", ARGS="--help"
	@python -m operations explain --stage $(STAGE) $(ARGS)

redrive: $(READY) ## move dead letters of STAGE back to their queue; ARGS="--reason CODE" or ARGS=--all
	@python -m operations redrive --stage $(STAGE) $(ARGS)

replay: $(READY) ## put failed records of STAGE back on the stream after a fix; ARGS="--since 2026-11-18 --dry-run"
	@python -m operations replay --stage $(STAGE) $(ARGS)

warehouse-plan: $(READY) ## tell what deploying config/warehouse would change in STAGE; ARGS="--cluster analytics --sql"
	@python -m operations warehouse plan --checkout --stage $(STAGE) $(ARGS)

doctor: $(READY) ## hold what is deployed of STAGE against what should be
	@python -m operations check --stage $(STAGE) $(ARGS)

clean: ## remove what the targets made, the downloaded packages too
	rm -rf .venv .venv-airflow .venv-dbt .cache cdk.out node_modules rehearsal-report .mypy_cache .ruff_cache .pytest_cache .hypothesis
