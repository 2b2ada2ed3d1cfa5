# Everything is set up inside the checkout: .venv, js/node_modules, build.
PYTHON ?= python3
BIN := .venv/bin
SERVE ?= 1
PORT ?= 8000
RETRY := tests/retry.sh
VIEWER := karospace_jupyter/_static/viewer.html

.PHONY: demo test test-lowest check lint types layers js-check docs docs-links programs bench fuzz build app js clean

demo: .venv/.installed $(VIEWER)
ifeq ($(SERVE),0)
	$(BIN)/karospace-export --demo --outdir build/demo
else
	$(BIN)/karospace-export --demo --outdir build/demo --serve --port $(PORT)
endif

# Tests whose parts (such as a browser) are missing fail here; a plain `pytest` skips them.
test: export KAROSPACE_ALL_PARTS ?= 1

# Build steps run two at a time, as many as a small machine has cores. Tests run four at a time, because they often wait
# for browsers, kernels and windows.
WORKERS ?= 4
test:
	$(MAKE) -j 2 check programs $(VIEWER)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# The tests of exporter and command line, with the lowest versions that pyproject.toml allows (Python 3.11).
# Excludes the test of the schema's text, which newer versions of pydantic write differently.
LOWEST := build/lowest-venv
# Without the real files, which newer versions of anndata wrote.
test-lowest: export KAROSPACE_REAL_DATA :=
test-lowest: $(LOWEST)/.installed
	$(LOWEST)/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
		--deselect tests/test_export.py::test_manifest_matches_the_published_schema \
		tests/source tests/plan tests/encode tests/publish tests/bundle tests/test_export.py tests/test_cli.py

check: lint types layers js-check docs

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini tests

layers: .venv/.installed
	$(BIN)/lint-imports --no-cache

# Warnings are errors; links between pages, to files and to names in the code are checked.
docs: .venv/.installed
	$(BIN)/python -m sphinx -W --keep-going -q -d build/doctrees docs build/docs

# Asks every other site that a page links to; needs the network.
docs-links: .venv/.installed
	$(BIN)/python -m sphinx -W --keep-going -q -b linkcheck -d build/doctrees docs build/docs-links

js-check: js/node_modules/.installed
	cd js && npm run --silent check

programs: .venv/.installed
	sh tests/programs.sh $(BIN)/python

bench: .venv/.installed $(VIEWER) tests/bench/regl/node_modules/.installed
	$(BIN)/python tests/bench/run.py
	$(BIN)/python tests/bench/packed.py
	$(BIN)/python tests/bench/compare.py
	$(BIN)/python tests/bench/notebook.py
	xvfb-run -a $(BIN)/python tests/bench/desktop.py

# Ten thousand damaged inputs of each kind: many hours.
INPUTS ?= 10000
fuzz: .venv/.installed $(VIEWER)
	$(BIN)/python tests/fuzz/run.py --inputs $(INPUTS)
	KAROSPACE_FUZZ_OBJECTS=$(INPUTS) $(BIN)/python -m pytest -q -o faulthandler_timeout=0 tests/fuzz/test_objects.py
	cd js && KAROSPACE_FUZZ_INPUTS=$(INPUTS) npx vitest run --testTimeout 0 src/state/fuzz.test.ts
	KAROSPACE_FUZZ_INPUTS=$(INPUTS) $(BIN)/python -m pytest -q -o faulthandler_timeout=0 tests/e2e/test_messages.py

build: .venv/.installed $(VIEWER)
	$(BIN)/python -m hatchling build -t sdist -t wheel

# A program that opens with a double-click, for the system that it is made on: dist/KaroSpace.
app: .venv/.installed $(VIEWER)
	$(RETRY) $(BIN)/python -m pip install --quiet --retries 5 --timeout 120 -r requirements-app.txt
	$(BIN)/python -m karospace_jupyter.desktop.freeze

js: $(VIEWER)

.venv/.requirements: requirements-dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(RETRY) $(BIN)/python -m pip install --quiet --retries 5 --timeout 120 -r requirements-dev.txt
	touch $@

# After the viewer, which the build hook would build otherwise: two builds at a time would disturb each other.
.venv/.installed: pyproject.toml .venv/.requirements | $(VIEWER)
	$(RETRY) $(BIN)/python -m pip install --quiet --retries 5 --timeout 120 --no-build-isolation --no-deps -e .
	touch $@

$(LOWEST)/.installed: requirements-lowest.txt pyproject.toml | $(VIEWER)
	test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(RETRY) $(LOWEST)/bin/python -m pip install --quiet --retries 5 --timeout 120 -r requirements-lowest.txt
	$(RETRY) $(LOWEST)/bin/python -m pip install --quiet --retries 5 --timeout 120 --no-build-isolation --no-deps -e .
	touch $@

js/node_modules/.installed: js/package.json js/package-lock.json
	$(RETRY) npm ci --prefix js --ignore-scripts --no-audit --no-fund --fetch-retries 5
	touch $@

# What the viewer is measured against; no part of what is shipped.
tests/bench/regl/node_modules/.installed: tests/bench/regl/package.json tests/bench/regl/package-lock.json
	$(RETRY) npm ci --prefix tests/bench/regl --ignore-scripts --no-audit --no-fund --fetch-retries 5
	touch $@

$(VIEWER): js/node_modules/.installed $(shell find js/src -type f) js/build.mjs
	npm run --silent build --prefix js

clean:
	rm -rf build dist docs/notebooks .venv js/node_modules tests/bench/regl/node_modules karospace_jupyter/_static
