# Two commands do everything on a fresh machine with Python 3.11 and make:
#   make demo   install, train the main experiment, print its table and how to look at it
#   make test   install, then lint, types, the documentation site, tests
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
RUN    ?= volatility_kpi

.PHONY: demo test install lint types docs fast slow bench interop reference clean \
	phase-bluff phase-volatility phase-learning-rate

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

# the phase diagrams of results/reference/phase: each some minutes on two free cores
PHASE := results/reference/phase

phase-bluff: install
	$(BIN)/tacit sweep bluff_equilibrium --arm scarcity_.2 --name bluff \
	  --grid market.scarcity=0.05,0.15,0.25,0.35 --grid market.stockout_cost=0.0,0.3,0.6,0.9
	$(BIN)/tacit phase bluff --x market.scarcity --y market.stockout_cost --measure bluff_rate \
	  --level 0.5 --refine 48
	cp results/bluff/phase/bluff_rate* $(PHASE)/bluff/

phase-volatility: install
	$(BIN)/tacit sweep volatility_kpi --arm first_0 --name volatility seeds=12 \
	  --grid kpi.bidder.price_change=0.0,-0.125,-0.25,-0.375,-0.5,-0.625,-0.75,-0.875,-1.0 \
	  --grid market.price_mix=0.0,0.125,0.25,0.375,0.5,0.625,0.75,0.875,1.0
	$(BIN)/tacit phase volatility --x kpi.bidder.price_change --y market.price_mix \
	  --measure collusion_index --level 0.25
	cp results/volatility/phase/collusion_index* $(PHASE)/volatility/

phase-learning-rate: install
	$(BIN)/tacit sweep calvano_baseline --name learning_rate seeds=8 \
	  --grid agents.provider.learning_rate=0.025,0.0571,0.0893,0.1214,0.1536,0.1857,0.2179,0.25 \
	  --grid agents.provider.epsilon_decay=2.5e-6,5e-6,7.5e-6,1e-5,1.25e-5,1.5e-5,1.75e-5,2e-5
	$(BIN)/tacit phase learning_rate --x agents.provider.learning_rate \
	  --y agents.provider.epsilon_decay --measure collusion_index --level 0.8
	cp results/learning_rate/phase/collusion_index* $(PHASE)/learning_rate/

clean:
	rm -rf $(VENV) $(VENV)-rllib $(VENV)-benchmarl build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
