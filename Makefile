# Every command of the project; `make` alone lists them. Each sets up what it needs in .venv, once.

PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run admin demo clean

help: ## Lists the commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

# ------------------------------------------------------------------------------------------------ set-up
# PYTHON=… chooses the interpreter; otherwise the first suitable one on the PATH is taken. A stamp is renewed only when
# its requirement file changes.

$(BIN)/python:
	@python=$$(sh infrastructure/find_python.sh $(PYTHON)) && \
	    echo "Creating $(VENV) with $$($$python --version)" && \
	    $$python -m venv $(VENV)

$(VENV)/stamp-infrastructure: infrastructure/requirements.txt | $(BIN)/python
	@echo "Installing infrastructure/requirements.txt"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement infrastructure/requirements.txt
	@touch $@

# ------------------------------------------------------------------------------------------- local stack
run: $(VENV)/stamp-infrastructure ## Runs TaskSync on this machine: http://127.0.0.1:8000, PORT=… for another port
	@exec $(BIN)/python -m infrastructure.local.run --port $(PORT)

admin: $(VENV)/stamp-infrastructure ## Makes a user an admin: USERNAME=…; STACK=… for a stack on AWS
	@exec $(BIN)/python -m infrastructure.admin --username '$(USERNAME)' --stack '$(STACK)'

demo: $(VENV)/stamp-infrastructure ## Fills the running local stack with a team, its rooms and its tasks
	@exec $(BIN)/python -m infrastructure.demo

clean: ## Removes the virtual environment and everything built; keeps the local data
	rm -rf $(VENV) .local/build .aws-sam build dist .coverage .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
