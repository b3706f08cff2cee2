PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Where it is set, each of the processes that tests start compiles our modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test benchmark clean

run: $(VENV)/installed  ## install, and run the default comparison
	$(BIN)/denobench run

test: $(VENV)/installed-dev  ## install, and run the tests
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder --durations=60

benchmark: $(VENV)/installed-dev  ## measure speed, side by side, as ratios
	$(BIN)/python -m pytest tests/benchmarks --benchmark-only

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# By uv, which takes as long to install and to compile all as pip to install alone; by pip where
# there is none, or it cannot reach the packages in pip's way.
define install
	$(BIN)/python -m pip install --quiet uv && \
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --editable '$(1)' || \
	$(BIN)/python -m pip install --quiet --editable '$(1)'
endef

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(call install,.)
	touch $@

$(VENV)/installed-dev: pyproject.toml | $(VENV)/bin/python
	$(call install,.[dev])
	touch $@ $(VENV)/installed
