# Two commands: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
# Not from the environment, where other tools have one of the same name: `make clean` removes it.
VENV = .venv
BIN := $(VENV)/bin
RECIPE ?= tuned
DATASET ?= ml-1m
SEEDS ?= 1 2 3
PART ?= tables
PROFILE ?= full
OUT ?= results
EXECUTOR ?= local
JOBS ?=

# One thread a job: on busy cores more threads slow these small models down.
export OMP_NUM_THREADS ?= 1
# Large tables on large pages (Linux): rows that lie far apart are found sooner.
export THP_MEM_ALLOC_ENABLE ?= 1

# scripts/ and benchmarks/ are run from this folder and are not installed, so Python has to look here.
unexport PYTHONSAFEPATH

# A misspelt variable would start another batch than the one that was meant.
READ := VENV DATASET RECIPE PART SEEDS MODELS STRATEGIES PROFILE OUT EXECUTOR JOBS CLAIM RERUN RECORD BYTES RATIO TABLES LOSS WIDTH TO
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
UNKNOWN := $(filter-out $(READ) PYTHON AUTODPQ_% OMP_% THP_%,$(GIVEN))
$(if $(UNKNOWN),$(error expected variables among $(READ), found $(UNKNOWN)))
# Make would put something else in the place of these; $$ is one $ to it, as everywhere in make.
$(foreach name,$(GIVEN),$(if $(findstring $$,$(subst $$$$,,$(value $(name)))),$(error $(name): expected a value without a single $$, found $(value $(name)))))
# $(call refuse,NAMES): a target that has these of its own.
refuse = $(if $(filter $(1),$(GIVEN)),$(error make $@: expected none of $(1), found $(filter $(1),$(GIVEN))))

# Values reach the shell as variables, never as its text. The batch ends when this make does.
export $(READ)
BATCH = @AUTODPQ_STARTER=$${MADE_BY:-$$PPID@$$(uname -n)} exec $(BIN)/python -m scripts.replicate --recipe="$$RECIPE" --seeds="$$SEEDS" \
	--models="$$MODELS" --strategies="$$STRATEGIES" --executor="$$EXECUTOR" $(if $(JOBS),--jobs="$$JOBS")
WHERE = --dataset="$$DATASET" --out="$$OUT"

.DEFAULT_GOAL := help
.PHONY: help env demo replicate controls seeds budget plan compress readme bench verify explain test check sanitize format lab book clean

##@ Start

help:  ## show this list
	@awk -F ':.*## ' '/^##@ / {print "\n" substr($$0, 5)} /^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(VENV)/installed  ## create the environment in .venv

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-compile --editable '.[dev]'
	@# As pip does, but on all cores, and the project too: where PYTHONDONTWRITEBYTECODE is set, as in many containers,
	@# each process would compile all that it imports. Some packages bring templates that are no Python.
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib autodpq_* scripts benchmarks || true
	touch $@

demo: env  ## MovieLens-100K, five strategies, three seeds, Table 1 (minutes)
	$(call refuse,DATASET PART PROFILE OUT)
	$(BATCH) --dataset=ml-100k --out=runs/demo

lab: env  ## JupyterLab on working copies of the notebooks, in runs/lab, with data and a trained run of each strategy
	@exec $(BIN)/python -m scripts.lab

##@ Replicate the paper

replicate: env  ## the paper's protocol: DATASET= RECIPE= SEEDS= MODELS= STRATEGIES= JOBS= OUT= PART= PROFILE= EXECUTOR=slurm
	$(BATCH) $(WHERE) --part="$$PART" --profile="$$PROFILE"

controls: env  ## the controls of config/controls.yaml (hours): RECIPE= JOBS= OUT=
	$(call refuse,PART SEEDS MODELS STRATEGIES PROFILE)
	$(BATCH) $(WHERE) --part=controls

seeds: env  ## FE, Others, DPQ with Grid's best pair, and AutoDPQ, on ten seeds: RECIPE= JOBS= OUT=
	$(call refuse,PART SEEDS MODELS STRATEGIES PROFILE)
	$(BATCH) $(WHERE) --part=seeds

budget: env  ## AUC at equal bytes, ten seeds, both recipes (hours), first the seed that settings are chosen on: OUT= JOBS=
	$(call refuse,RECIPE PART SEEDS MODELS STRATEGIES PROFILE)
	export MADE_BY=$$PPID@$$(uname -n); \
	for part in "tuned 11" "tuned 1 2 3" "tuned 4 5 6 7 8 9 10" "paper 11" "paper 1 2 3" "paper 4 5 6 7 8 9 10"; do \
		$(MAKE) replicate PART=budget RECIPE=$${part%% *} SEEDS="$${part#* }" || exit 1; done

plan: env  ## what `make replicate` would run, what is done, and where the logs are
	$(BATCH) $(WHERE) --part="$$PART" --profile="$$PROFILE" --plan

verify: env  ## recompute all that needs no training; RERUN=3 trains three runs again beside it: STRATEGIES= OUT=
	$(BIN)/python -m scripts.verify --out="$$OUT" $(if $(RERUN),--rerun="$$RERUN") $(if $(STRATEGIES),--strategies="$$STRATEGIES")

explain: env  ## what stands behind a row of the ledger: CLAIM=autodpq-fe-auc
	$(BIN)/python -m scripts.explain "$$CLAIM"

##@ Shrink an embedding

compress: env  ## a finished run in a small file: RECORD= and BYTES=30000, RATIO=0.05, TABLES=28584 or LOSS=0.001; WIDTH=, TO=
	$(BIN)/python -m scripts.compress "$$RECORD" $(if $(BYTES),--bytes="$$BYTES") $(if $(RATIO),--ratio="$$RATIO") \
		$(if $(TABLES),--tables="$$TABLES") $(if $(LOSS),--loss="$$LOSS") $(if $(WIDTH),--width="$$WIDTH") \
		$(if $(TO),--to="$$TO")

##@ Work on the suite

test: check  ## all checks and tests
	$(BIN)/pytest

check: env  ## formatting, lint, types, and arrows between packages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

sanitize: export AUTODPQ_COMPILER = cc -g -fsanitize=address,undefined -fno-sanitize-recover=undefined
sanitize: export ASAN_OPTIONS = detect_leaks=0
sanitize: env  ## the tests of all that is in C, under AddressSanitizer and UBSan
	LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libstdc++.so)" \
		$(BIN)/pytest -s -n 0 $$(grep -lE '"compiler"|autodpq_native' tests/test_*.py | grep -v test_batch)

format: env  ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

readme book compress bench: export MATPLOTLIBRC = config/matplotlibrc
readme: env  ## write the numbers of README.md and of the pages in results/ from the records
	$(BIN)/python -m scripts.readme

bench: env  ## epochs beside FuxiCTR and DeepCTR-Torch, steps, the packed model, one compression (half an hour)
	$(BIN)/python -m benchmarks.peers.epochs
	$(BIN)/python -m benchmarks.step
	$(BIN)/python -m benchmarks.packed
	$(BIN)/python -m benchmarks.latency
	$(BIN)/python -m benchmarks.compressing
	$(BIN)/python -m scripts.readme

book: env  ## pages, executed notebooks, course, API and all runs as a web site in runs/book/html (minutes, then seconds)
	$(BIN)/python -m scripts.book

clean:  ## remove the environment; runs, data and results stay
	@test ! -e "$$VENV/pyvenv.cfg" || rm -rf -- "$$VENV"
