# The targets below are the whole of daily work; `make help` lists them.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
ENV ?= sandbox
ARGS ?=
BIN := .venv/bin
# What a run needs; READY adds what the project's own tests and linters need; BROWSER adds Playwright,
# MUTATION adds Cosmic Ray.
RUN := .venv/.run
READY := .venv/.ready
BROWSER := .venv/.browser
MUTATION := .venv/.mutation
# Empty where there is no Chromium, of this machine or of Playwright's: then nothing looks at pages.
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome || \
	ls -d $${PLAYWRIGHT_BROWSERS_PATH:-$$HOME/.cache/ms-playwright}/chromium*-* 2>/dev/null | head -n 1)
PHASES := preflight deploy postdeploy performance followup

# Without cached bytecode every run would compile pytest's plugins and ours anew: half a second each.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup browser demo test exhaustive endurance mutation calibrate lint format bench screenshots plan history retrospective incident rollback verify-rollback render-ids lock clean clean-reports notify maintenance openslo $(PHASES)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z].*:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  make PHASE           check a phase of ENV=$(ENV): $(PHASES)"
	@echo
	@echo "  ENV=prod chooses an environment of environments/; ARGS='--commit SHA' adds any option of pytest"

# Runs pip and counts the packages as they come. $(1): its arguments.
define pip_install
{ PYTHONUNBUFFERED=1 $(BIN)/python -m pip install --disable-pip-version-check $(1); echo $$? > .venv/.status; } | { \
	n=0; while read -r word name rest; do case "$$word" in \
	Collecting) n=$$((n + 1)); printf '\r  %d packages, now %-50.50s' "$$n" "$$name" ;; \
	Installing) printf '\r  %d packages, installing them %-40s' "$$n" "" ;; \
	esac; done; test "$$n" = 0 || echo; }; \
exit "$$(cat .venv/.status)"
endef

setup: $(READY)  ## install everything into .venv, from the lock files, by hash

$(RUN): requirements-run.lock
	@test -n "$(PYTHON)" || { echo "kamiyo-verify needs Python 3.11 or newer; name one by: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up .venv, once: what a run needs …"
	@test -e $(READY) || $(PYTHON) -m venv --clear .venv
	@$(call pip_install,--require-hashes -r requirements-run.lock)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(READY): requirements.lock $(RUN)
	@echo "Adding to .venv, once: what the project's own tests need …"
	@$(call pip_install,--require-hashes -r requirements.lock)
	@touch $@

browser: $(BROWSER)  ## install what looks at the pages in a browser, and say how to get one
ifeq ($(CHROMIUM),)
	@echo "There is no Chromium yet: apt-get install chromium, or $(BIN)/playwright install chromium"
endif

$(BROWSER): $(READY) requirements-browser.lock
	@echo "Adding Playwright to .venv, once …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-browser.lock
	@touch $@

demo: $(RUN)  ## verify the sandbox after a make-believe deployment
	@$(BIN)/python -m pytest -m postdeploy --env sandbox $(ARGS)

$(PHASES): $(RUN)
	@$(BIN)/python -m pytest -m $@ --env $(ENV) $(ARGS)

rollback: $(RUN)  ## take the deployment of ENV back: shows the plan, asks, does it, verifies; sandbox: a drill
	@$(BIN)/kamiyo-verify rollback --env $(ENV) $(ARGS)

verify-rollback: $(RUN)  ## check the phase after a rollback: is the old version really back?
	@$(BIN)/python -m pytest -m rollback --env $(ENV) $(ARGS)

plan: $(RUN)  ## say what would be checked in ENV, what not, and why
	@$(BIN)/python -m pytest --env $(ENV) --plan $(ARGS)

history: $(RUN)  ## write reports/index.html: the deployments of ENV, or of all, as the ledger has them
	@$(BIN)/kamiyo-verify history $(if $(filter file,$(origin ENV)),,--env $(ENV)) $(ARGS)

retrospective: $(RUN)  ## draft the page about the last deployment of ENV; ARGS=COMMIT chooses another
	@$(BIN)/kamiyo-verify $@ --env $(ENV) $(ARGS)

incident: $(RUN)  ## draft the page about the last trouble of ENV; ARGS=RUN or COMMIT chooses another
	@$(BIN)/kamiyo-verify $@ --env $(ENV) $(ARGS)

notify: $(RUN)  ## see whether ENV's channels take a message; ARGS='start --commit SHA' announces a deployment
	@$(BIN)/kamiyo-verify notify $(or $(ARGS),test) --env $(ENV)

maintenance: $(RUN)  ## set ENV's status page to maintenance and back: ARGS=on, ARGS=off
	@$(BIN)/kamiyo-verify maintenance $(ARGS) --env $(ENV)

openslo: $(RUN)  ## write the objectives as OpenSLO; ARGS='check FILE' reads a file of them
	@$(BIN)/kamiyo-verify openslo $(or $(ARGS),export)

# A test that hangs fails, and ends nothing else; the longest takes three minutes on a busy machine.
NO_HANG := --timeout 480

test: $(READY) $(if $(CHROMIUM),$(BROWSER))  ## the project's own tests
	@test -e .venv/.test-took && echo "The last whole run took $$(cat .venv/.test-took) s." || echo "The first run: minutes, and more for its first use of a browser and of PostgreSQL."
	@began=$$(date +%s); $(BIN)/python -m pytest tests -n 4 --dist worksteal -q $(NO_HANG) -m "not exhaustive" $(ARGS); code=$$?; \
		$(if $(ARGS),:,echo $$(($$(date +%s) - began)) > .venv/.test-took); exit $$code

exhaustive: $(READY) $(if $(CHROMIUM),$(BROWSER))  ## the rest of them: every fault in a run of its own (about forty minutes)
	@$(BIN)/python -m pytest tests -n 5 --dist worksteal -q $(NO_HANG) -m "exhaustive and not undisturbed" $(ARGS)
	@echo "And by themselves, those that measure times:"
	@$(BIN)/python -m pytest tests -q $(NO_HANG) -m "exhaustive and undisturbed" $(ARGS)

endurance: $(READY)  ## kill fifty runs at random moments, and find each again
	@KAMIYO_KILLS=50 $(BIN)/python -m pytest tests/engine/ledger/test_runs.py -q -k kill_9 $(ARGS)

mutation: $(MUTATION)  ## change the judge in one place at a time: do the tests notice? ARGS='--seed 7 --sample 200'
	@$(BIN)/python -m tests.mutation $(ARGS)

$(MUTATION): $(READY) requirements-mutation.lock
	@echo "Adding Cosmic Ray to .venv, once …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-mutation.lock
	@touch $@

lint: $(READY)  ## ruff and mypy, as in CI
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY)  ## let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

screenshots: $(BROWSER)  ## take the pictures of docs/screenshots anew
	@$(BIN)/python -m tests.support.screenshots

bench: $(READY)  ## what our run costs, and what our sampling sees, beside other tools
	@$(BIN)/python -m tests.benchmarks.run
	@$(BIN)/python -m tests.benchmarks.slow_platform
	@$(BIN)/python -m tests.benchmarks.items
	@$(BIN)/python -m tests.benchmarks.latency
	@$(BIN)/python -m tests.benchmarks.load

calibrate: $(RUN)  ## how often the judge is right about simulated deployments; ARGS=1000 of each kind
	@$(BIN)/kamiyo-verify calibrate $(ARGS)

render-ids: $(RUN)  ## ask Render for the ids of our services, as a table for an environment file
	@$(BIN)/kamiyo-verify render-ids $(ARGS)

lock: $(READY)  ## resolve pyproject.toml anew into requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra dev pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra run --constraints requirements.lock pyproject.toml -o requirements-run.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra browser-dev --constraints requirements.lock pyproject.toml -o requirements-browser.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra mutation --constraints requirements.lock pyproject.toml -o requirements-mutation.lock

clean:  ## remove .venv and caches; reports and the ledger stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-reports:  ## remove all reports and the ledger, after asking
	@printf 'Remove every report and the ledger below reports/, for good? Type yes: '; read -r answer || true; \
		test "$$answer" = yes || { echo "Nothing was removed." >&2; exit 1; }
	@find reports -mindepth 1 ! -name README.md -delete
