# Everything a person or a machine does with this tree. `make help` lists the commands.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
SIZE ?= 100k
HELPDESK_DEMO ?= 1
# One more than there are cores: many tests wait for servers, browsers and clocks.
JOBS ?= $(shell expr $$(nproc) + 1)

PO := $(wildcard translations/*/LC_MESSAGES/*.po)
MO := $(PO:.po=.mo)
TEST_PACKAGES := chromium postgresql dovecot-imapd

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Only what the lock names, byte for byte.
LOCKED := $(PIP) install --require-hashes --no-deps -r

# Installs Debian packages as root or through sudo; where neither is possible, says what to run.
define apt
	@set -e; \
	if [ "$$(id -u)" = 0 ]; then as=env; elif command -v sudo >/dev/null; then as="sudo env"; else \
	  echo "Some Debian packages are missing. As root, run: apt-get install -y $(1)" >&2; exit 1; fi; \
	command -v apt-get >/dev/null || { \
	  echo "This is not Debian: install what these packages give yourself: $(1)" >&2; exit 1; }; \
	echo "Installing $(1)"; \
	$$as DEBIAN_FRONTEND=noninteractive apt-get update -qq; \
	$$as DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1) >/dev/null
endef

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: $(VENV)/run.stamp $(MO) ## Make .venv with everything the product needs
	@$(BIN)/python -m compileall -q helpdesk config.py wsgi.py # a start needs a second less

.PHONY: install-test
install-test: install $(VENV)/test.stamp $(VENV)/packages.stamp ## And everything the tests need

.PHONY: run
run: install ## Start the product with demo data: http://127.0.0.1:8000
	@HELPDESK_DEMO=$(HELPDESK_DEMO) exec $(BIN)/helpdesk run

.PHONY: check
check: install-test ## Format, lint, types, layers, translations
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target types style layers words

.PHONY: types style layers words
types:
	$(BIN)/mypy

style:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

layers:
	$(BIN)/lint-imports --no-cache

words:
	$(BIN)/python tests/check_translations.py

.PHONY: test
test: check ## Checks and all tests, on SQLite and PostgreSQL
	$(BIN)/pytest -n $(JOBS)

.PHONY: bench
bench: install-test ## Measure: SIZE=1k, 10k, 100k or 1m
	$(BIN)/python -m benchmarks --size $(SIZE)

.PHONY: kb-eval
kb-eval: install-test ## Measure the knowledge base's search against plain bm25, in three languages
	$(BIN)/python -m benchmarks.kb_eval

.PHONY: clean
clean: ## Remove what `make` made, but no data
	rm -rf $(VENV) $(MO) helpdesk.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@command -v python3 >/dev/null && python3 -c 'import ensurepip, venv' 2>/dev/null \
	  || $(MAKE) --no-print-directory python3
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; here is $$(python3 --version)." >&2; exit 1; }
	python3 -m venv $(VENV)

.PHONY: python3
python3:
	$(call apt,python3 python3-venv)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing the locked dependencies"
	@$(LOCKED) requirements/run.txt
	@$(PIP) install --no-deps --no-index --no-build-isolation --editable .
	@touch $@

$(VENV)/test.stamp: requirements/test.txt | $(VENV)/run.stamp
	@echo "Installing the locked test tools"
	@$(LOCKED) requirements/test.txt
	@touch $@

$(VENV)/packages.stamp: | $(BIN)/python
	@command -v chromium >/dev/null && ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 \
	  && [ -x /usr/sbin/dovecot ] || $(MAKE) --no-print-directory test-packages
	@touch $@

.PHONY: test-packages
test-packages:
	$(call apt,$(TEST_PACKAGES))

%.mo: %.po | $(VENV)/run.stamp
	@$(BIN)/pybabel --quiet compile -i $< -o $@
