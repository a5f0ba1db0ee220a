# `make` alone lists what there is. Each target does its own set-up; a second run finds it done.

# Tests start programs of ours by the hundred: none is to be compiled at each start, as in containers that say so.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Three at a time, for most of them wait for servers and browsers that they have started; each file in one process: its
# tests may share a server or a browser. In the order of the directories: else files of few and long tests come last,
# and in the end one process works alone.
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS ?=

.DEFAULT_GOAL := help
CAMPAIGNS := kill syscalls powercut churn restart backup simulator model planted reload faults nemesis cutpolls transports webhooks nodes leaks
FAST := tests/core tests/access tests/store tests/node tests/pages tests/config tests/transport tests/handlers \
  --ignore=tests/transport/test_engineio_client.py -m 'not browser'
.PHONY: help run test test-fast test-others test-databases check ci lint fmt types simulate simulate-long demo screens chores bench docs lock coverage-core sbom planted-bugs mutants clean campaigns faults fuzz fuzz-api reliability

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  make run ARGS='--port 9000'          flags for the server, or for pytest with make test"
	@echo "  make run PYTHON=python3.13           another Python (3.11 or newer)"

run: $(VENV)/run.stamp ## start the server with its own store and the shipped tasks
	@$(BIN)/python server.py $(ARGS)

test: $(VENV)/test.stamp ## all tests, 15 to 25 min; says first which will skip, and why
	@$(BIN)/python -m tests.desk
	$(PYTEST) $(ARGS)

test-fast: $(VENV)/test.stamp ## core, access, store, node, pages, config, handlers, transport: a minute, no browsers
	$(BIN)/python -m pytest $(FAST) $(ARGS)

test-others: $(VENV)/test.stamp ## test-fast on the other Pythons here, 3.11 to 3.14 (NEWEST=1: the newest alone: node, pages, config, transport)
	@$(BIN)/python -m tests.pythons $(if $(NEWEST),--newest) -- $(if $(NEWEST),$(filter-out tests/core tests/store tests/handlers,$(FAST)),$(FAST)) $(ARGS)

test-databases: $(VENV)/test.stamp ## what uses PostgreSQL, on the other versions of it that are here (a minute and a half each)
	@$(BIN)/python -m tests.databases $(ARGS)

check: lint types coverage-core ## lint, types, the core covered whole by its tests, all other tests
	@$(BIN)/python -m tests.desk
	$(PYTEST) --ignore=tests/core $(ARGS)

ci: NEWEST = 1
ci: test-others test-databases check ## what .ci/run runs: these three, the first with NEWEST=1 (-j2: what goes before all tests goes side by side)

lint: $(VENV)/test.stamp ## ruff: rules and formatting; import-linter: who may import whom
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo

fmt: $(VENV)/test.stamp ## let ruff mend formatting and what it can
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

lock: $(VENV)/run.stamp ## write requirements.lock anew: what a server needs, with digests; asks the package index
	@$(PIP) 'pip-tools>=7.5,<8'
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --no-header --no-annotate --strip-extras --no-emit-index-url \
	  --no-emit-trusted-host --no-emit-find-links --output-file $(VENV)/requirements.lock setup.py
	@{ head -2 requirements.lock; cat $(VENV)/requirements.lock; } > $(VENV)/lock && mv $(VENV)/lock requirements.lock

sbom: $(VENV)/run.stamp ## write dist/sbom.json: what a server is made of, as CycloneDX, from requirements.lock
	@$(PIP) 'cyclonedx-bom>=7,<8'
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements --output-reproducible --output-file dist/sbom.json requirements.lock

types: $(VENV)/test.stamp ## mypy --strict
	$(BIN)/python -m mypy

demo: $(VENV)/test.stamp ## a farm to look at: a day of history, 27 simulated pages, jobs; http://127.0.0.1:8888/ (ARGS='--port 9000')
	@$(BIN)/python -m tests.demo $(ARGS)

screens: $(VENV)/test.stamp ## photograph every screen of that farm into build/screens (Chromium and PhantomJS, two minutes)
	@$(BIN)/python -m tests.demo.screens

chores: $(VENV)/test.stamp ## a day's work of an operator, an author and an administrator in Chromium: clicks and seconds (2 min; ARGS=Operator; --keyboard: without a mouse, --plain: without JavaScript)
	@$(BIN)/python -m tests.chores $(ARGS)

coverage-core: $(VENV)/test.stamp ## the core's tests must cover every branch of it
	$(BIN)/python -m coverage run --source=dispatcher/core -m pytest -q tests/core $(ARGS)
	$(BIN)/python -m coverage report --fail-under=100

planted-bugs: $(VENV)/test.stamp ## plant bugs in copies of the program; the tests must find each (5 min; ARGS="--area store", --json)
	@$(BIN)/python -m tests.planted $(ARGS)

mutants: $(VENV)/test.stamp ## mutmut: find small changes of the core and the applier that no test sees (hours; ARGS='dispatcher.core.workers.retry*')
	@$(PIP) --editable '.[mutants]'
	$(BIN)/mutmut run $(ARGS)
	@$(BIN)/mutmut results | grep -v 'not checked' || true

fuzz: $(VENV)/test.stamp ## attack a real server at full size: 10 MB for each address, 100,000 bad packets and pages (6 min)
	PAGEHAND_FUZZ_BYTES=10000000 PAGEHAND_FUZZ_PACKETS=100000 PAGEHAND_FUZZ_FRAMES=100000 PAGEHAND_CHURN=100000 PAGEHAND_XSS=all \
	  $(BIN)/python -m pytest -s --timeout=3600 tests/attack $(ARGS)

fuzz-api: $(VENV)/test.stamp ## schemathesis: some 2,000 cases made from /openapi.json, all checks (ARGS=--long: 20,000, 5 to 20 min)
	@$(PIP) --editable '.[test,fuzz]'
	$(BIN)/python -m tests.attack.api_fuzz $(ARGS)

faults: $(VENV)/test.stamp ## inject every fault of the catalogue (PAGEHAND_FAULTS=long: at full length)
	$(BIN)/python -m pytest -k test_fault_ tests $(ARGS)

campaigns: $(VENV)/test.stamp ## all campaigns (30 min; ARGS=--short 2 min, ARGS=--long 2 h); see docs/reliability.md
	@for name in $(CAMPAIGNS); do \
	  $(BIN)/python -m tests.campaigns.$$name $(ARGS); status=$$?; \
	  [ $$status = 0 ] || [ $$status = 3 ] || exit 1; \
	done

campaign-kill: ## kill -9 under load, 2,000 times (ARGS=--long: 10,000; --record keeps the figures)
campaign-syscalls: ## a crash and an error at every system call of the store (needs strace)
campaign-powercut: ## power cuts on a file system of its own, 60 (ARGS=--long: 200; needs root)
campaign-churn: ## 20,000 pages that come, work and go (ARGS=--long: 100,000)
campaign-faults: ## every fault of the catalogue, and planted ones that must be noticed
campaign-restart: ## a start with 100,000 queued and 5,000 running jobs
campaign-backup: ## 20 backups of a server under load (ARGS=--long: 50)
campaign-simulator: ## the dispatcher in a simulated world, 300,000 steps (ARGS=--long: 3,000,000)
campaign-model: ## random lives of the core beside its reference, 2,000 (ARGS=--long: 10,000)
campaign-planted: ## how many of the bugs planted on purpose the tests find
campaign-reload: ## Chromium reloaded in the middle of jobs, 30 times (ARGS=--long: 100)
campaign-nemesis: ## network and server faults without end under load, 2 min (ARGS=--long: 10 min)
campaign-transports: ## real browsers by each transport and through proxies, 1,000 jobs each way (ARGS=--long: 10,000)
campaign-cutpolls: ## polls cut after 1 s and 5 s, 1,500 messages (ARGS=--long: 10,000)
campaign-webhooks: ## webhooks to receivers with moods, the server killed 50 times (ARGS=--long: 200)
campaign-nodes: ## five servers on one PostgreSQL: kills, wake-ups, crashes and fail-overs of the database, 4 min (ARGS=--long: 1,000 kills, 45 min)
campaign-leaks: ## what a worker page and an open console keep in Chromium, 25 min (ARGS=--long: 2 h 10 min)
$(CAMPAIGNS:%=campaign-%): campaign-%: $(VENV)/test.stamp
	$(BIN)/python -m tests.campaigns.$* $(ARGS)

reliability: $(VENV)/test.stamp ## write docs/reliability.md anew from what campaigns have recorded
	$(BIN)/python -m tests.campaigns.reliability

simulate: $(VENV)/test.stamp ## one run of the simulator with its trace: make simulate SEED=7 (ARGS=--years: switched off for months; --nodes: several)
	$(BIN)/python -m tests.sim --seed $(or $(SEED),1) $(ARGS)

simulate-long: $(VENV)/test.stamp ## a million steps of the simulator, then a summary as JSON (ARGS as for simulate)
	$(BIN)/python -m tests.sim --seed $(or $(SEED),1) --long 1000000 $(ARGS)

bench: $(VENV)/test.stamp ## the fixed benchmarks (bench/README.md)
	$(BIN)/python -m bench $(ARGS)

docs: $(VENV)/run.stamp ## write the generated reference pages anew
	$(BIN)/python -m dispatcher.config.sources --markdown > docs/settings.md
	$(BIN)/python -m handlers.api.openapi > docs/openapi.json

clean: ## remove the virtual environment, caches and builds; never a store
	rm -rf $(VENV) build dist mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is as old as the environment's packages: when setup.py is younger, they are installed anew.
$(VENV)/run.stamp: setup.py | $(BIN)/python
	@echo "Installing what the server needs into $(VENV) ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/test.stamp: setup.py | $(BIN)/python
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP) --editable '.[test]'
	@touch $@ $(VENV)/run.stamp

# The prerequisites first, each with one line on how to mend it.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) is missing. Install Python 3.11 or newer, or name one: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) -V 2>&1); Pagehand needs 3.11 or newer: make run PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv module. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
