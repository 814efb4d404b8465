# Every target runs inside the environment that scripts/run makes from uv.lock, with none of the caller's settings.
SHELL := /bin/bash
RUN := scripts/run
.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

up: ## Start the platform with its sample practice (again: show where it is)
	@$(RUN) python -m scripts.up

down: ## Stop everything that `make up` started, and keep the data
	@$(RUN) python -m scripts.down

reset: ## Delete all data and start afresh with an empty platform
	@$(RUN) python -m scripts.reset

sample: ## Load the sample practice into an empty platform
	@$(RUN) python -m scripts.sample

logs: ## Follow all logs (ONLY=goals for some)
	@$(RUN) python -m scripts.logs $(ONLY)

token: ## Sign in for real and print an access token (WHO=mail@address)
	@$(RUN) python -m scripts.token $(WHO)

service: ## Run a command of one service (CALL='goals parked list')
	@$(RUN) python -m scripts.service $(CALL)

secrets: ## Write the secrets that deploy/compose.yaml asks for to deploy/.env, once
	@$(RUN) python -m scripts.compose

receive: ## Show and verify the webhooks that come here (SECRET=whsec_… PORT=59000)
	@$(RUN) python -m scripts.receiver $(SECRET) $(PORT)

demo: ## Play the story against the running platform, in under two seconds
	@$(RUN) python -m scripts.demo

test: ## Run all tests, on real MongoDB and RabbitMQ (ARGS='-k relay'; ARGS='-n0 --pdb' in one process)
	@$(RUN) python -m pytest -n 3 $(ARGS)

faults: ## Kill, cut, freeze and fill everything under load (FAULTS=long: more and longer)
	@$(RUN) python -m pytest tests/faults -n 2 --timeout 1200 $(ARGS)

mistakes: ## Make known mistakes in copies, and see the tests catch each, in 15 minutes (ONLY='a token' for some)
	@$(RUN) python -m scripts.mistakes $(ONLY)

test-fast: ## Run the tests that need no server
	@$(RUN) python -m pytest -m "not servers and not slow" $(ARGS)

bench: ## Measure against peers on a quiet machine, in 15 minutes (BENCH=save_vs_plain,idle_mb for some)
	@$(RUN) python -m benchmarks $(BENCH)

check: ## Format, lint, types, imports, rooms, contracts
	@$(RUN) python -m scripts.check

format: ## Put the code into its form
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

imports: ## Check that imports point one way
	@$(RUN) lint-imports

contracts: ## Generate the contracts and the catalogue of events
	@$(RUN) python -m scripts.contracts

manifests: ## Render and validate the Kubernetes manifests, and ask our policy
	@$(RUN) python -m scripts.manifests

images: ## Build the container images of all services (ONLY=goals for some)
	@$(RUN) python -m scripts.images $(ONLY)

clean: down ## Stop everything, then delete the environment and all data
	@rm -rf .venv .tandem build

.PHONY: help up down reset sample logs token service receive secrets demo test faults mistakes test-fast bench check format imports contracts manifests images clean
