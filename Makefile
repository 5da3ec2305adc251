# Every command does its own set-up, and costs nothing when that is done. PYTHON=... names the interpreter to begin with.

PORT ?= 8080
# Seconds for `make soak`.
SOAK_S ?= 600
# Two workers, each with a Kafka of its own; a file's tests stay together, and what tests/support/side_by_side.py names
# runs when only one is left. `make test PARALLEL=` is for one after another.
PARALLEL ?= -n 2 --dist loadfile
# Where `make sbom` writes.
SBOM ?= dist/watchroute.cdx.json
# Of the byte-level targets of `make fuzz`.
INPUTS ?= 1000000
# More arguments for pytest: make test ARGS="tests/unit -k cursor"
ARGS ?=

BIN := .venv/bin
# What `make check` runs, side by side; each is a target below, and can be run alone.
CHECKS := check-format check-lint check-types check-imports check-locks check-licences check-advisories check-docs \
	check-shell check-haproxy check-js
SCRIPTS := .ci/run $(wildcard infra/*/*.sh)

.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory
# The tests start some hundred processes: each would compile anew what it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: runtime-venv ## Run everything in one process and say what to open; PORT=9000, EXAMPLE=chat (a folder of examples/)
	@exec $(BIN)/python -m cli demo --port $(PORT) $(if $(EXAMPLE),--example $(EXAMPLE))

.PHONY: cluster
cluster: cluster-tools ## Run the whole cluster as processes: three brokers, two producers, three push servers, HAProxy with TLS
	@exec $(BIN)/python -m infra.cluster

.PHONY: test
test: test-tools ## Run every test, against a real Kafka where one can be had; ARGS="-k cursor" for some of them
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

.PHONY: soak
soak: test-tools ## Run the oracle for long; SOAK_S=3600 for another time than ten minutes
	WATCHROUTE_SOAK_S=$(SOAK_S) $(BIN)/python -m pytest -m soak -o faulthandler_timeout=0 $(ARGS)

.PHONY: chaos
chaos: test-tools ## Play every fault in a whole cluster under load, and judge what each watcher saw; ARGS="broker disk" for some
	$(BIN)/python -m tests.chaos $(ARGS)

.PHONY: fuzz
fuzz: dev-venv ## Try inputs of strangers, a million for each parser of bytes and each live service; ARGS="live --seconds 60"
	$(BIN)/python -m tests.hostile.fuzz --inputs $(INPUTS) $(ARGS)

.PHONY: screenshots
screenshots: test-tools ## Take the pictures of the demo and of examples/ that the README shows
	WATCHROUTE_SCREENSHOTS=docs/images $(BIN)/python -m pytest tests/browser/test_screenshots.py -o faulthandler_timeout=0 $(ARGS)

.PHONY: bench
bench: test-tools ## Measure against the kernel's own price, under 15 minutes; ARGS="paced-ws wide" for some of it
	$(BIN)/python -m load.bench $(ARGS)

.PHONY: load
load: test-tools ## Watchers of every transport for two minutes, at a cluster of its own or at URL=https://localhost:8443
	$(BIN)/python -m load $(if $(URL),--url $(URL)) $(ARGS)

.PHONY: floods
floods: test-tools ## Attack a push server from one address, and measure what its watchers notice; ARGS="refusals" for some
	$(BIN)/python -m load.floods $(ARGS)

.PHONY: rolling
rolling: test-tools ## Restart every push server under 2 000 watchers, and draw what they notice; ARGS=reload for HAProxy
	$(BIN)/python -m load.rolling $(ARGS)

.PHONY: clients
clients: test-tools ## Restart every push server under 200 clients of each kind, and judge what their applications saw
	$(BIN)/python -m load.clients $(ARGS)

.PHONY: measure
measure: test-tools ## Print what the documents quote: latency, memory per connection, time to be ready
	$(BIN)/python -m load.measure $(ARGS)

.PHONY: check
check: dev-venv ## Run every check but the tests: format, lint, types, imports, locks, licences, advisories, docs, scripts
	@$(MAKE) -j4 --output-sync=target --keep-going $(CHECKS)
	@echo "All of $(CHECKS) passed."

.PHONY: certs
certs: ## Make a development certificate for https://localhost in .certs, and a CA to trust
	@infra/setup/certs.sh

.PHONY: fix
fix: dev-venv ## Format the code, and mend what the linter can mend by itself
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: docs
docs: dev-venv ## Write what is made from other files: docs/configuration.md, the schemas in docs/*api.yaml
	$(BIN)/python -m cli docs
	$(BIN)/python infra/setup/documents.py write

.PHONY: lock
lock: dev-venv ## Compile the locks from pyproject.toml; ARGS=--upgrade for the newest versions
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python infra/setup/locks.py compile $(ARGS)

.PHONY: sbom
sbom: dev-venv ## Write what the runtime lock installs as a bill of materials (CycloneDX); SBOM=path for another place
	@mkdir -p $(dir $(SBOM))
	$(BIN)/cyclonedx-py requirements requirements/runtime.txt --pyproject pyproject.toml --short-PURLs \
		--spec-version 1.6 --output-format JSON --output-reproducible --validate --output-file $(SBOM)

.PHONY: audit
audit: dev-venv ## Ask whether anything in the locks has a known vulnerability; fails when nobody can be asked
	@$(BIN)/python infra/setup/advisories.py audit $(ARGS)

.PHONY: clean
clean: ## Remove everything that these commands have made
	rm -rf .venv .kafka .certs .cluster clients/js/node_modules infra/api/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What the commands above rest on.

.PHONY: runtime-venv
runtime-venv:
	@infra/setup/venv.sh runtime

.PHONY: dev-venv
dev-venv:
	@infra/setup/venv.sh dev

# Broker and its classes: the archive halves what a start costs, and is made once, in seven seconds.
KAFKA := infra/kafka/fetch.sh && { [ -e .kafka/libs/classes.jsa ] || $(BIN)/python -m infra.cluster.kafka_archive; }

.PHONY: cluster-tools
cluster-tools: runtime-venv certs
	@$(KAFKA)
	@infra/setup/front.sh

# The tests find out by themselves what there is, and skip what can't be done; with CI=true a skipped test is a failure.
.PHONY: test-tools
test-tools: dev-venv
	@infra/setup/chromium.sh
	@infra/setup/node.sh
	@command -v ip >/dev/null || infra/setup/apt.sh iproute2 \
		|| echo "Going on without iproute2: the tests of dead networks will be skipped." >&2
	@infra/setup/front.sh
	@infra/setup/clock.sh
	@infra/api/check.sh --install \
		|| echo "Going on without redocly and spectral: their test will be skipped." >&2
	@[ -n "$$WATCHROUTE_TEST_KAFKA" ] || docker info >/dev/null 2>&1 || { $(KAFKA); } \
		|| echo "Going on without a real Kafka: what needs one is skipped." >&2

.PHONY: check-format
check-format:
	$(BIN)/ruff format --check --quiet --diff .

.PHONY: check-lint
check-lint:
	$(BIN)/ruff check --quiet .

.PHONY: check-types
check-types:
	$(BIN)/mypy

.PHONY: check-imports
check-imports:
	$(BIN)/lint-imports

.PHONY: check-locks
check-locks:
	$(BIN)/python infra/setup/locks.py check

.PHONY: check-licences
check-licences:
	$(BIN)/python infra/setup/licences.py

# Fails on what was found only: whether somebody can be asked is not up to the code.
.PHONY: check-advisories
check-advisories:
	@$(BIN)/python infra/setup/advisories.py check

.PHONY: check-docs
check-docs:
	$(BIN)/python -m cli docs --check
	$(BIN)/python infra/setup/documents.py check

# Not among CHECKS, as it wants npm and takes ten seconds: a test runs it.
.PHONY: check-api
check-api: dev-venv
	@infra/api/check.sh

.PHONY: check-shell
check-shell:
	for script in $(SCRIPTS); do bash -n "$$script" || exit 1; done
	! command -v shellcheck >/dev/null || shellcheck $(SCRIPTS)

# Without Node there is nothing to check with: the tests say so, and CI has it.
.PHONY: check-js
check-js:
	@infra/setup/node.sh
	! command -v node >/dev/null || [ ! -d clients/js/node_modules ] || npm --prefix clients/js run --silent check

.PHONY: check-haproxy
check-haproxy:
	@infra/haproxy/check.sh
