# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO ?= demo
CASES ?=
BUNDLE := build/bundle
SCREEN := xvfb-run -a -s "-screen 0 1600x1000x24 +extension GLX"
# The demo and the tests use a virtual screen only where there is no real one.
WITH_SCREEN = $(if $(DISPLAY)$(WAYLAND_DISPLAY),,$(shell command -v xvfb-run >/dev/null 2>&1 && echo '$(SCREEN)'))

.PHONY: help demo setup test check lint bench bundle validate validation-page screenshots system clean

help:
	@echo "make demo         set up, generate the sample district, open the window on it (or leave $(DEMO)/ without a display)"
	@echo "make setup        set up only: $(BIN)/twin"
	@echo "make test         install what the tests need and run every check and test"
	@echo "make lint         formatter, linter, types and import rules only"
	@echo "make bench        speed, printed as ratios"
	@echo "make validate     the slow comparisons with measured and reference data"
	@echo "make validation-page  the tables and pictures of the manual's page on the checks of wind, from CASES=folder"
	@echo "make screenshots  the pictures of the README and the manual"
	@echo "make bundle       the program as a folder that needs no Python, in $(BUNDLE)/"

demo: setup
	$(BIN)/twin demo --out $(DEMO)

setup: system $(STAMP)

system:
	@sh .ci/system-packages

$(STAMP): pyproject.toml constraints.txt
	sh .ci/make-venv "$(PYTHON)" $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	@touch $(STAMP)

test: setup lint
	$(WITH_SCREEN) $(BIN)/python -m pytest -q -n auto --dist loadfile --max-worker-restart 0

check: test

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	$(WITH_SCREEN) $(BIN)/python -m tests.bench

validate: setup
	$(WITH_SCREEN) env TWIN_SLOW=1 $(BIN)/python -m pytest -q -m slow

# An hour and more: 16 winds of a whole quarter. Records that are there already are kept: remove those to be made anew.
RECORDS := build/validation
validation-page: setup
	@test -d "$(CASES)" || { echo "say where the cases are: make validation-page CASES=folder"; exit 2; }
	@for case in aij_case_a.json aij_case_c aij_case_e; do \
	    test -f $(RECORDS)/$${case%.json}.json || $(BIN)/twin validate "$(CASES)/$$case" --plots $(RECORDS) || exit 1; \
	done
	$(BIN)/python -m app.validation_page $(RECORDS)

screenshots: setup
	$(subst 1600x1000,1920x1080,$(WITH_SCREEN)) $(BIN)/python -m app.screenshots --out build/screenshots --keep

# A bundle is made for the system it is made on.
bundle: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[bundle]"
	$(BIN)/pyinstaller --noconfirm --log-level ERROR --distpath $(BUNDLE) --workpath build/bundle-work resources/desktop/sejong-twin.spec
	@echo "$(CURDIR)/$(BUNDLE)/sejong-twin/sejong-twin starts the program; the folder is $$(du -sh $(BUNDLE)/sejong-twin | cut -f1)"

clean:
	rm -rf $(VENV) $(DEMO) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
