# Everything a person does here is a target. `make` alone lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
unexport PYTHONDONTWRITEBYTECODE  # Every service, worker and tool is a process of its own: compiled anew, its imports cost twice as much.

py := .venv/bin/python
members := libs/money libs/events libs/chassis libs/policies libs/launcher libs/testkit libs/simulation demo bench torture \
           services/invoice services/payment services/credit services/dunning services/reporting
pyprojects := pyproject.toml $(members:%=%/pyproject.toml)
packages := money events chassis policies launcher testkit simulation demo bench torture invoice payment credit dunning reporting
here := $(shell cat .venv/.made-in 2>/dev/null)

# Two to four processes share the tests (testkit.side_by_side); what hurts a whole stack against the clock has the machine to itself.
side_by_side := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
alone := torture/tests/test_short_run.py

# Given by whoever calls: `make demo LEDGER=… MAPPING=… JSON=…`, `make psql S=invoice`, `make tick DATE=… ENTITY=…`, …
TOPIC ?= receivables.invoice
load = --ledger $(or $(LEDGER),$(error say what: LEDGER=file.csv ENTITY=US01)) --entity $(or $(ENTITY),$(error say whose books: ENTITY=US01)) \
       $(if $(MAPPING),--mapping $(MAPPING)) $(if $(AS_OF),--as-of $(AS_OF)) $(if $(REFUSED),--refused $(REFUSED)) \
       $(if $(JSON),--json $(JSON)) $(if $(DRY),--dry-run)

.PHONY: help setup setup-dev up down reset status logs psql topics tail token tick migrate rebuild-reporting demo \
        load-opening load-lines publish-sample explain unit test-db test-kafka scenarios crashes teeth test torture bench check fmt docs lock moved

help: ## This list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- set-up: done again only when a lock, a pyproject or the place of the checkout changes ---

setup: .venv/.runtime ## Install what runs into .venv (every other target does it when needed).
setup-dev: .venv/.dev ## Install what tests and checks need, too.

.venv/.runtime: requirements-uv.lock requirements.lock $(pyprojects) scripts/setup.sh scripts/python.sh $(if $(filter $(CURDIR),$(here)),,moved)
	@scripts/setup.sh runtime
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	@scripts/setup.sh dev
	@touch $@

moved:

# --- the stack on this machine ---

up: setup ## Start Kafka, PostgreSQL and the five services; ENTITIES=file, PORT_BASE=8001. Keeps the books.
	@$(py) -m launcher up $(if $(ENTITIES),--entities $(ENTITIES)) $(if $(PORT_BASE),--port-base $(PORT_BASE))

down: setup ## Stop what `make up` or `make demo` started. Keeps the books.
	@$(py) -m launcher down

reset: setup ## Clean books: empty databases and topics.
	@$(py) -m launcher reset

status: setup ## What runs, where, and where its log is.
	@$(py) -m launcher status || true

logs: setup ## Follow a log: S=invoice (or kafka, postgres).
	@$(py) -m launcher logs $(or $(S),$(error say whose: make logs S=invoice))

psql: setup ## Open a service's database: S=invoice.
	@$(py) -m launcher psql $(or $(S),$(error say whose: make psql S=invoice))

topics: setup ## The topics and their partitions.
	@$(py) -m launcher topics

tail: setup ## Watch the facts of a topic: TOPIC=receivables.payment, FROM=start for all of them.
	@$(py) -m launcher tail $(TOPIC) $(if $(filter start,$(FROM)),--from-start)

token: setup ## A bearer token for the APIs: SUB=clerk-1 ROLES=clerk.
	@$(py) -m launcher token --sub $(or $(SUB),$(error say for whom: make token SUB=clerk-1 ROLES=clerk)) $(if $(ROLES),--roles $(ROLES))

tick: setup ## Start a business day: DATE=2026-01-05, ENTITY=US01 for one entity only.
	@$(py) -m launcher tick --date $(or $(DATE),$(error say which day: make tick DATE=2026-01-05)) $(if $(ENTITY),--entity $(ENTITY))

migrate: setup ## Bring a running stack's database to the newest migration: S=invoice.
	@$(py) -m launcher migrate $(or $(S),$(error say whose: make migrate S=invoice))

rebuild-reporting: setup ## Make the read model anew from its facts, beside the live one, and switch.
	@$(py) -m launcher rebuild-reporting

demo: setup ## Play a year of somebody's receivables through everything: LEDGER=file.csv, MAPPING=file.toml, JSON=file, SHUFFLE=7 DUPLICATE=1.
	@$(py) -m demo $(if $(LEDGER),--ledger $(LEDGER)) $(if $(MAPPING),--mapping $(MAPPING)) $(if $(JSON),--json $(JSON)) $(if $(PORT_BASE),--port-base $(PORT_BASE)) \
	    $(if $(SHUFFLE),--shuffle $(SHUFFLE)) $(if $(DUPLICATE),--duplicate)

load-opening: setup ## Load open items of another system, tied out: LEDGER=items.csv ENTITY=US01 MAPPING=file.toml, AS_OF=, JSON=, REFUSED=, DRY=1.
	@$(py) -m demo load-opening $(load)

load-lines: setup ## Load documents from their lines, tied out: LEDGER=lines.csv ENTITY=US01, the rest as load-opening.
	@$(py) -m demo load-lines $(load)

publish-sample: setup ## Tell documents of a billing system: FROM=stripe ENTITY=US01 FILE=invoices.json (default: the sample), CURRENCY=, ZONE=, JSON=, DRY=1.
	@$(py) -m demo publish --from $(or $(FROM),$(error say whose: FROM=quickbooks, xero, stripe, erpnext or odoo)) \
	    --entity $(or $(ENTITY),$(error say whose books: ENTITY=US01)) $(if $(CURRENCY),--currency $(CURRENCY)) $(if $(ZONE),--time-zone $(ZONE)) \
	    $(if $(JSON),--json $(JSON)) $(if $(DRY),--dry) $(or $(FILE),demo/producers-samples/$(FROM).json)

explain: setup ## Who publishes a fact, who handles it, what follows: EVENT=payment.received.
	@$(py) scripts/explain.py $(or $(EVENT),$(error say which: make explain EVENT=payment.received))

# --- quality ---

unit: setup-dev ## Tests without servers: on every save.
	@$(py) -m pytest $(side_by_side) -m "not db and not kafka and not scenario and not schedules and not torture"

test-db: setup-dev ## Tests with a real PostgreSQL.
	@$(py) -m pytest -m "db and not torture"

test-kafka: setup-dev ## Tests with a real Kafka.
	@$(py) -m pytest -m "kafka and not torture"

scenarios: setup-dev ## Dated stories over all five services: SEED=n repeats one.
	@$(if $(SEED),SEED=$(SEED)) $(py) -m pytest -m "scenario and not torture"

crashes: setup-dev ## Kill at every hit of every named point, and at every line of batch handling and relay.
	@$(py) -m pytest tests/crash -m ""

test: check ## Everything: checks and all tests.
	@failed=; \
	$(py) -m pytest $(side_by_side) $(alone:%=--ignore=%) || failed="$$failed, those side by side"; \
	$(py) -m pytest $(alone) || failed="$$failed, those that run alone"; \
	[ -z "$$failed" ] || { echo "Tests failed$$failed." >&2; exit 1; }

torture: setup-dev ## Prove it from outside: SEED=n FAULTS=250 hurt the whole stack (LONG=1 as long as in life), then every crash point.
	@$(py) -m torture run $(if $(SEED),--seed $(SEED)) --faults $(or $(FAULTS),250) $(if $(LONG),--long) $(if $(DISKS),--disks) $(if $(JSON),--json $(JSON))
	@$(py) -m pytest -m torture

teeth: setup-dev ## Spoil the protocol on purpose, every way we know: each has to be noticed.
	@$(py) -m pytest -m teeth

bench: setup-dev ## Numbers, each beside its floor: JSON=file.
	@$(py) -m bench $(if $(JSON),--json $(JSON))

check: setup-dev ## Format, lint, types, imports, generated documents.
	@$(py) -m ruff format --check .
	@$(py) -m ruff check .
	@$(py) -m mypy $(packages:%=-p %)
	@.venv/bin/lint-imports
	@$(py) scripts/make_docs.py --check

fmt: setup-dev ## Format and fix what can be fixed.
	@$(py) -m ruff format .
	@$(py) -m ruff check --fix .

docs: setup-dev ## Generate schemas, AsyncAPI and the event catalogue.
	@$(py) scripts/make_docs.py

lock: setup ## Renew the locks from the requirements*.in files: UPGRADE=1 for newer versions.
	@for name in requirements-uv requirements requirements-dev; do \
	    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	        $(if $(UPGRADE),--upgrade) -o $$name.lock $$name.in || exit 1; \
	done
