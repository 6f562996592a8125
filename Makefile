# Each target does all set-up itself: it needs Python 3.11 or newer, make, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
BOOK ?= data/sample
AS_OF ?= 2026-09-30
QUARTER ?= 2026Q4
OUT ?= out
# en or zh (LANG itself belongs to the shell)
LANG_ ?= en

.PHONY: forecast test lint notebooks bench clean

forecast: .venv/.stamp-run
	$(BIN)/salesanalytics forecast $(BOOK) --as-of $(AS_OF) --quarter $(QUARTER) --out $(OUT) --lang $(LANG_)

# one worker a core, and one thread a worker: more threads than cores wait for each other
test: export OMP_NUM_THREADS = 1
test: .venv/.stamp-dev lint
	$(BIN)/pytest --numprocesses auto --dist worksteal
	PYTHONWARNINGS=error $(BIN)/pytest --numprocesses auto --dist loadfile --nbval --nbval-current-env --nbval-cell-timeout=300 notebooks

lint: .venv/.stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

notebooks: .venv/.stamp-dev
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace notebooks/*.ipynb

bench: .venv/.stamp-dev
	$(BIN)/python benchmarks/repd_rolling.py
	$(BIN)/python benchmarks/speed.py

clean:
	rm -rf .venv out

.venv/pyvenv.cfg:
	$(PYTHON) -m venv .venv

.venv/.stamp-run: .venv/pyvenv.cfg pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/.stamp-dev: .venv/.stamp-run
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev
	touch $@
