PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Where it is set, each of the processes that tests start compiles all that it imports: seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test benchmark clean

run: $(VENV)/installed  ## install, and run the default comparison
	$(BIN)/denobench run

test: $(VENV)/installed-dev  ## install, and run the tests
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --durations=60

benchmark: $(VENV)/installed-dev  ## measure speed, side by side, as ratios
	$(BIN)/python -m pytest tests/benchmarks --benchmark-only

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/bin/python:  # whose pip may be old, and takes twice as long then
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --no-compile --editable .
	touch $@

$(VENV)/installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev]'
	touch $@ $(VENV)/installed
