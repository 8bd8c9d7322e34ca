# One environment, pinned by requirements/test.txt, built on first use.
.DEFAULT_GOAL := help
.PHONY: help demo serve test test-heavy check lock bench
SHELL := /bin/sh

BIN := .venv/bin
READY := .venv/ready
PYTHON ?= python3
# One more than there are processors: a third of the time a test waits for a disk, a browser, another process.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
UV_COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --system-certs --no-config --universal \
	--python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

help: ## list what can be asked for
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile | expand -t 18

demo: $(READY) ## run a whole graduation batch on invented students
	$(BIN)/xueji demo

serve: $(READY) ## open the console on the evening of the demonstration
	@test -e demo/evening.db || { echo '先运行 make demo。Run make demo first.' >&2; exit 1; }
	$(BIN)/xueji --database sqlite:///demo/evening.db --now 2024-05-15T17:31 serve

test: $(READY) ## run the tests, on SQLite and on a real PostgreSQL
	$(BIN)/pytest -m "not heavy" -n $(WORKERS) --dist worksteal

test-heavy: $(READY) ## run the tests that take minutes
	$(BIN)/pytest -m heavy -o faulthandler_timeout=1800

check: $(READY) ## check format, lint, types and imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

lock: $(READY) ## pin the newest versions pyproject.toml allows; what runs is what is tested
	$(UV_COMPILE) --upgrade --group test --output-file requirements/test.txt
	$(UV_COMPILE) --upgrade --constraint requirements/test.txt --output-file requirements/run.txt
	$(UV_COMPILE) --upgrade --constraint requirements/test.txt --extra analysis --output-file requirements/analysis.txt
	$(UV_COMPILE) --upgrade --constraint requirements/test.txt --extra channels --output-file requirements/channels.txt
	$(UV_COMPILE) --upgrade --constraint requirements/test.txt --extra cluster --output-file requirements/cluster.txt

bench: $(READY) ## measure both databases on this machine against their own raw drivers
	$(BIN)/xueji bench
	$(BIN)/python -m tests.postgres $(BIN)/xueji bench

# A newer pip reads an index in half the time; what is pinned needs no resolving, and Python compiles what it imports.
$(READY): requirements/test.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'xueji needs Python 3.11 or later: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'Python cannot make environments here: install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	-$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile -r requirements/test.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
