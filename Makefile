# `make` alone lists the targets. Everything is installed into .venv, nothing outside the project.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# make run DEMO=0 leaves the guest demo out; HOST and PORT say where the page is served.
DEMO ?= 1
HOST ?= 127.0.0.1
PORT ?= 8000
# Processes that run tests side by side.
WORKERS ?= 2
demo_flag := $(if $(filter-out 0 no false,$(DEMO)),--demo)

# A user's pip configuration may name other indexes, but must not move the installation elsewhere.
export PIP_USER := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PYTHONNOUSERSITE := 1
unexport PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX

.DEFAULT_GOAL := help
.PHONY: help run test slow ray check format bench bench-load soak ablations docs lock sbom audit release compose-check kubernetes-check clean env env-dev

help: ## Say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Setting up again does no harm but takes seconds, so it is left out while nothing that it reads has changed.
run: env ## Install, set up, serve on http://127.0.0.1:8000 (DEMO=0: no guest demo; HOST=, PORT=)
	@wanted="$(demo_flag) $$(cat models/checkpoints/*/* core/store/migrations/versions/*.py 2>/dev/null | cksum)"; \
	if [ -n "$${DATABASE_URL}$${MLFLOW_TRACKING_URI}$${DATA_DIR}" ] || [ -e .env ] || [ ! -e var/radikal.db ] \
		|| [ ! -e var/mlflow.db ] || [ "$$(cat var/.set-up 2>/dev/null)" != "$$wanted" ]; then \
		$(BIN)/radikal setup $(demo_flag) && mkdir -p var && printf '%s\n' "$$wanted" > var/.set-up; \
	fi
	@exec $(BIN)/radikal serve --host $(HOST) --port $(PORT) $(demo_flag)

# The tests of some files count on their order, so that one worker takes a file whole; in the order of the
# folders, since by the number of tests the longest ones of the browser would come last.
RAY_TESTS := tests/services/bulk/test_bulk.py tests/training/test_workers.py tests/services/inference/test_ray_networks.py
pytest := $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test: check ## Check, then run the tests, browser ones too, but no slow ones, with coverage of at least 95 %
	$(pytest) -m "not slow" --cov=core --cov=app --cov-report=term --cov-fail-under=95 $(PYTEST_ARGS)

slow: env-dev ## Run the tests that `make test` leaves out: simulations, long trainings, serving under load, crashes
	$(pytest) -m slow $(PYTEST_ARGS)

check: env-dev compose-check ## Lint, formatting, types, layers, JavaScript, Dockerfile, compose; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/oxlint app
	$(BIN)/hadolint Dockerfile

compose-check: env-dev ## Compare the compose files and the workflows with their schemas
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

kubernetes-check: env-dev ## Render k8s/ with kustomize and compare it with the schemas of Kubernetes
	@mkdir -p build; for folder in base migrate overlays/gpu overlays/scaled; do \
		echo "k8s/$$folder"; rendered=build/k8s-$$(basename $$folder).yaml; \
		$(BIN)/kubectl kustomize k8s/$$folder > $$rendered \
			&& $(BIN)/kubernetes-validate --strict --no-warn $$rendered || exit 1; \
	done

format: env-dev ## Sort imports and lay out the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: env-dev ## Measure what should be fast; writes JSON beside the scripts in benchmarks/
	@for script in benchmarks/bench_*.py; do \
		[ -e "$$script" ] || { echo "benchmarks/ holds no bench_*.py" >&2; exit 1; }; \
		echo "$$script"; $(BIN)/python "$$script" || exit 1; \
	done

bench-load: env-dev ## 50 users through API and pages for five minutes, by locust; writes benchmarks/load.json
	$(BIN)/pip install --quiet --editable '.[load]'
	$(BIN)/python -m benchmarks.load

ray: env-dev ## Install the extra `scale` and run the tests that need Ray; others skip them
	$(BIN)/pip install --quiet --editable '.[scale]'
	RAY_USAGE_STATS_ENABLED=0 $(BIN)/pytest $(RAY_TESTS) $(PYTEST_ARGS)

soak: slow ## Run the slow tests, then kill and fuzz far more often, an hour at most; writes benchmarks/soak.json
	$(BIN)/python -m benchmarks.soak

ablations: env-dev ## Train the short runs that show what each idea is worth (40 minutes); writes benchmarks/ablations.json
	$(BIN)/python -m benchmarks.ablations $(or $(RADIKAL_GDXRAY),../shared/gdxray) runs/ablations

docs: env-dev ## Write the commands, settings and model figures into docs/ from the program itself
	$(BIN)/python docs/write_commands.py
	$(BIN)/python -m clients.write_client
	$(BIN)/python docs/write_settings.py
	$(BIN)/python docs/write_model_quality.py

# CUDA libraries exist for Linux only; elsewhere torch does without them.
linux_only = sed -i.bak -E 's/^((nvidia|cuda)-[^ ]+|triton==[^ ]+)$$/\1 ; platform_system == "Linux"/' $(1) && rm $(1).bak
uv_compile = $(BIN)/uv pip compile --quiet --no-config --python-version 3.11
# Usage: $(call hashed,requirements file,more arguments of .ci/hashes.py)
hashed = $(uv_compile) --universal --no-deps --format pylock.toml --output-file build/pylock.toml $(1) \
	&& $(BIN)/python .ci/hashes.py build/pylock.toml $(1) $(2)

lock: env-dev ## Pin everything that requirements.in and requirements-dev.in pull in, with the hashes of its files
	mkdir -p build && rm -f build/pylock.toml
	$(uv_compile) --custom-compile-command "make lock" --output-file requirements.txt requirements.in
	$(call linux_only,requirements.txt)
	$(uv_compile) --custom-compile-command "make lock" --output-file requirements-dev.txt requirements-dev.in
	$(call hashed,requirements-dev.txt,--without requirements.txt)
	rm -f build/pylock.toml
	$(call hashed,requirements.txt)

sbom: env-dev ## Write what is locked as a CycloneDX bill of materials, build/sbom.json
	mkdir -p build
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible \
		--output-format JSON --output-file build/sbom.json requirements.txt

audit: env-dev ## Look for known vulnerabilities of what is locked; says so where nobody can be asked
	$(BIN)/python .ci/audit.py requirements.txt requirements-dev.txt

release: sbom ## Write version, changelog, bill of materials and manifest of weights: make release VERSION=1.2.0
	$(BIN)/python .ci/release.py "$(VERSION)"

clean: ## Remove caches, coverage and build results; keeps .venv and your data in var/
	rm -rf build dist *.egg-info htmlcov .coverage .coverage.* \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# The locks are complete, and pip refuses hashes of what another package asks for with an extra: so no dependencies.
# The stamps hold a checksum of what was installed and where; an unchanged one makes these targets free.
# Usage: $(call install,stamp,files to install from,what pip gets)
define install
	@wanted="$(CURDIR) $$(cat $(2) pyproject.toml requirements.in | cksum)"; \
	if [ "$$(cat $(VENV)/$(1) 2>/dev/null)" != "$$wanted" ]; then \
		rm -f $(VENV)/$(1); \
		{ $(BIN)/python -c '' 2>/dev/null && head -n 1 $(BIN)/pip | grep -qF "$(CURDIR)"; } \
			|| $$($(find_python)) -m venv --clear $(VENV) || exit 1; \
		echo "Installing into $(VENV): some minutes the first time, about 6 GB" >&2; \
		$(BIN)/python -m pip install -qq --no-deps $(3) && \
		$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable . && \
		printf '%s\n' "$$wanted" > $(VENV)/$(1); \
	fi
endef

define find_python
for python in "$(PYTHON)" python3.11 python3.12 python3.13 python3; do \
	[ -n "$$python" ] && "$$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		&& { command -v "$$python"; exit; }; \
done; echo "RadiKal needs Python 3.11 or newer with venv; say where it is: make PYTHON=path" >&2; echo false
endef

env:
	$(call install,.installed,requirements.txt,-r requirements.txt)

env-dev: env
	$(call install,.installed-dev,requirements.txt requirements-dev.txt,-r requirements.txt -r requirements-dev.txt)
