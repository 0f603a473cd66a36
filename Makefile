# Everything a fresh machine needs. `make demo` and `make test` set up what they use.
PYTHON ?= $(shell for minor in 13 12 11 14; do command -v python3.$$minor >/dev/null 2>&1 && python3.$$minor -c 'import venv, ensurepip' 2>/dev/null && echo python3.$$minor && break; done)
VENV := .venv
BIN := $(VENV)/bin
export FIREFORK_RUNTIMES_DIR ?= $(CURDIR)/.runtimes
DATA_DIR ?= $(CURDIR)/.firefork

CONSOLE := src/firefork/console/index.html

.PHONY: setup system venv runtimes console demo up test test-vm check bench docs format clean

setup: system venv runtimes console  ## install everything that running needs

system:
	@./scripts/system-packages

venv: $(VENV)/.ready

$(VENV)/.ready: requirements/server.lock requirements/dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Firefork's server needs Python 3.11 or later with venv; none was found on PATH."; exit 1; }
	@echo "virtual environment: $(VENV) ($(PYTHON))"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies with uv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements/server.lock)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

runtimes: venv
	@$(BIN)/firefork runtimes install --all

console: $(CONSOLE)  ## build the console if its sources are newer

$(CONSOLE): $(shell find console -path console/node_modules -prune -o -type f -print) scripts/build-console | venv
	@echo "building the console"
	@PYTHON=$(CURDIR)/$(BIN)/python ./scripts/build-console
	@touch $@

demo: setup  ## run the examples on every runtime that was found
	@$(BIN)/firefork demo

up: setup  ## serve until Ctrl-C
	@echo 'In another terminal:  eval "$$($(BIN)/firefork env --data-dir $(DATA_DIR))"'
	@echo 'Then boto3, the AWS CLI and every other AWS tool talk to this server.'
	@$(BIN)/firefork up --data-dir $(DATA_DIR)

test: setup  ## run all tests
	@./scripts/system-packages test
	@$(BIN)/python -m pytest -n 2

test-vm: setup  ## tests of isolation and limits under kernels of their own, with control groups of version 2
	@for as in root service user limited-user; do PYTHON=$(CURDIR)/$(BIN)/python ./scripts/vm-tests --as $$as || exit; done

check: venv  ## format, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@PYTHON=$(CURDIR)/$(BIN)/python ./scripts/build-console check

bench: setup  ## measure each claim against a peer in the same run
	@$(BIN)/python benchmarks/run.py

docs: venv  ## write the pages that are made from the code
	@$(BIN)/python scripts/configuration_page.py
	@$(BIN)/python scripts/operations_table.py
	@$(BIN)/python scripts/lifecycle_page.py

format: venv
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .runtimes .firefork .node .vm console/node_modules src/firefork/console
