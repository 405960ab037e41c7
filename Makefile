# Two commands do everything on a fresh machine with Python 3.11 and make:
#   make demo   install, train the main experiment, print its table and how to look at it
#   make test   install, then lint, types, the documentation site, tests
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
RUN    ?= volatility_kpi

.PHONY: demo test install lint types docs fast slow bench interop reference clean

demo: install
	$(BIN)/tacit train $(RUN)
	@echo "look:   . $(VENV)/bin/activate; tacit board $(RUN)   (TensorBoard, curves coloured by arm)"
	@$(BIN)/python -c "from tacit.training.board.server import links; print('link:   ' + next(iter(links(6006, True).values())))"

test: install lint types docs fast slow

install: $(VENV)/.installed

# torch first and by its exact version; then the rest under the same constraints
$(VENV)/.installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench,interop]'
	@touch $@

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

# a strict build: a dead link or a docstring that cannot be read is an error (no network is used)
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

fast: install
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow"

slow: install
	$(BIN)/pytest -n 2 --dist worksteal -m slow

bench: install
	$(BIN)/python -m benchmarks.engine

# every library on every market; two of them need environments of their own (docs/interop.md)
interop: install $(VENV)-rllib/.installed $(VENV)-benchmarl/.installed
	$(BIN)/python -m benchmarks.interop
	$(VENV)-rllib/bin/python -m benchmarks.interop --only RLlib
	$(VENV)-benchmarl/bin/python -m benchmarks.interop --only BenchMARL

$(VENV)-rllib/.installed: FREE := gymnasium
$(VENV)-benchmarl/.installed: FREE := torchrl|tensordict
$(VENV)-%/.installed: pyproject.toml constraints.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	grep -v -E '^($(FREE))==' constraints.txt > $(@D)/constraints.txt
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -c $(@D)/constraints.txt -e '.[$*]' pytest hypothesis
	@touch $@

reference: install
	$(BIN)/tacit reproduce --all --update-reference

clean:
	rm -rf $(VENV) $(VENV)-rllib $(VENV)-benchmarl build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
