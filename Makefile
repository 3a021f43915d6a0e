# The targets below are the whole of daily work; `make help` lists them.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
ENV ?= sandbox
ARGS ?=
BIN := .venv/bin
READY := .venv/.ready
BROWSER := .venv/.browser
# Empty where there is no Chromium, of this machine or of Playwright's: then nothing looks at pages.
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome || \
	ls -d $${PLAYWRIGHT_BROWSERS_PATH:-$$HOME/.cache/ms-playwright}/chromium*-* 2>/dev/null | head -n 1)
PHASES := preflight deploy postdeploy performance followup

# Without cached bytecode every run would compile pytest's plugins and ours anew: half a second each.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup browser demo test exhaustive endurance calibrate lint format bench screenshots plan history retrospective incident rollback verify-rollback render-ids lock clean notify maintenance openslo $(PHASES)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z].*:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  make PHASE           check a phase of ENV=$(ENV): $(PHASES)"
	@echo
	@echo "  ENV=prod chooses an environment of environments/; ARGS='--commit SHA' adds any option of pytest"

setup: $(READY)  ## install everything into .venv, from the lock file, by hash

$(READY): requirements.lock
	@test -n "$(PYTHON)" || { echo "kamiyo-verify needs Python 3.11 or newer; name one by: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up .venv, once …"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

browser: $(BROWSER)  ## install what looks at the pages in a browser, and say how to get one
ifeq ($(CHROMIUM),)
	@echo "There is no Chromium yet: apt-get install chromium, or $(BIN)/playwright install chromium"
endif

$(BROWSER): $(READY) requirements-browser.lock
	@echo "Adding Playwright to .venv, once …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-browser.lock
	@touch $@

demo: $(READY)  ## verify the sandbox after a make-believe deployment
	@$(BIN)/python -m pytest -m postdeploy --env sandbox $(ARGS)

$(PHASES): $(READY)
	@$(BIN)/python -m pytest -m $@ --env $(ENV) $(ARGS)

rollback: $(READY)  ## take the deployment of ENV back: shows the plan, asks, does it, verifies; sandbox: a drill
	@$(BIN)/python -m plugins.rollback --env $(ENV) $(ARGS)

verify-rollback: $(READY)  ## check the phase after a rollback: is the old version really back?
	@$(BIN)/python -m pytest -m rollback --env $(ENV) $(ARGS)

plan: $(READY)  ## say what would be checked in ENV, what not, and why
	@$(BIN)/python -m pytest --env $(ENV) --plan $(ARGS)

history: $(READY)  ## write reports/index.html: the deployments of ENV, or of all, as the ledger has them
	@$(BIN)/python -m plugins.pages history $(if $(filter file,$(origin ENV)),,--env $(ENV)) $(ARGS)

retrospective: $(READY)  ## draft the page about the last deployment of ENV; ARGS=COMMIT chooses another
	@$(BIN)/python -m plugins.pages $@ --env $(ENV) $(ARGS)

incident: $(READY)  ## draft the page about the last trouble of ENV; ARGS=RUN or COMMIT chooses another
	@$(BIN)/python -m plugins.pages $@ --env $(ENV) $(ARGS)

notify: $(READY)  ## see whether ENV's channels take a message; ARGS='start --commit SHA' announces a deployment
	@$(BIN)/python -m plugins.notify $(or $(ARGS),test) --env $(ENV)

maintenance: $(READY)  ## set ENV's status page to maintenance and back: ARGS=on, ARGS=off
	@$(BIN)/python -m plugins.maintenance $(ARGS) --env $(ENV)

openslo: $(READY)  ## write the objectives as OpenSLO; ARGS='check FILE' reads a file of them
	@$(BIN)/python -m plugins.openslo $(or $(ARGS),export)

test: $(READY) $(if $(CHROMIUM),$(BROWSER))  ## the project's own tests
	@$(BIN)/python -m pytest tests -n 3 --dist worksteal -q -m "not exhaustive" $(ARGS)

exhaustive: $(READY) $(if $(CHROMIUM),$(BROWSER))  ## the rest of them: every fault in a run of its own (about twenty minutes)
	@$(BIN)/python -m pytest tests -n 2 --dist worksteal -q -m exhaustive $(ARGS)

endurance: $(READY)  ## kill fifty runs at random moments, and find each again
	@KAMIYO_KILLS=50 $(BIN)/python -m pytest tests/test_ledger_runs.py -q -k kill_9 $(ARGS)

lint: $(READY)  ## ruff and mypy, as in CI
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY)  ## let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

screenshots: $(BROWSER)  ## take the pictures of docs/screenshots anew
	@$(BIN)/python -m tests.screenshots

bench: $(READY)  ## what our run costs, and what our sampling sees, beside other tools
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench_items
	@$(BIN)/python -m tests.bench_latency

calibrate: $(READY)  ## how often the judge is right about simulated deployments; ARGS=1000 of each kind
	@$(BIN)/python -m plugins.calibrate $(ARGS)

render-ids: $(READY)  ## ask Render for the ids of our services, as a table for an environment file
	@$(BIN)/python -m plugins.render_ids $(ARGS)

lock: $(READY)  ## resolve pyproject.toml anew into requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra dev pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra browser-dev --constraints requirements.lock pyproject.toml -o requirements-browser.lock

clean:  ## remove .venv, caches and reports
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find reports -mindepth 1 ! -name README.md -delete
