# Every target works from a fresh clone with Go and a C compiler, except those
# of SAM (Python, and for sam-local Docker). `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Lambda runs on arm64; `make build GOARCH=amd64 DIST=dist/amd64` builds for a local run.
GOARCH ?= arm64
DIST   ?= dist
COUNT  ?= 6
ROWS   ?= 1000
# How many inputs `make proof` gives each decoder, and how many seeds it simulates.
FUZZ     ?= 500000x
SEEDS    ?= 20000
# The first of the seeds.
SEED     ?= 1
# How many rows it pushes through the built binaries while these are killed.
KILLED   ?= 200000
# How many rows make bench-parquet runs.
PARQUET  ?= 1000000

FUNCTIONS := $(notdir $(patsubst %/main.go,%,$(wildcard functions/*/main.go)))
TOOL      := go tool -modfile=infra/tools.mod
# No cgo and no source paths in the binary, no RPC mode of the old go1.x runtime, no symbols.
BOOTSTRAP  = CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH) go build -tags lambda.norpc -trimpath -ldflags "-s -w"

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: check
check: ## what a change must pass: format, vet, lint, tests
	@test -z "$$(gofmt -l $$(git ls-files '*.go') | tee /dev/stderr)" || { echo 'gofmt -w the files above' >&2; exit 1; }
	go vet ./...
	go mod tidy -diff
	$(MAKE) --no-print-directory lint test

.PHONY: test
test: ## all tests that need nothing but Go
	go test ./...

.PHONY: lint
lint: ## golangci-lint, import rules included (its first build takes minutes)
	$(TOOL) golangci-lint run

.PHONY: build
build: ## every function's bootstrap, in DIST/<function>/bootstrap
	@test -n "$(FUNCTIONS)" || { echo 'no functions/*/main.go here' >&2; exit 1; }
	@for f in $(FUNCTIONS); do \
		$(BOOTSTRAP) -o $(DIST)/$$f/bootstrap ./functions/$$f; \
		echo "$(DIST)/$$f/bootstrap $(GOARCH) $$(wc -c < $(DIST)/$$f/bootstrap) bytes"; \
	done

# What `sam build` calls, once per function: build-DeadLetterFunction builds functions/deadletter.
build-%Function:
	$(BOOTSTRAP) -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(shell echo $* | tr '[:upper:]' '[:lower:]')

.PHONY: bench
bench: ## all benchmarks, COUNT times each, summed up by benchstat
	@mkdir -p $(DIST)
	go test -p 1 -run '^$$' -bench . -benchmem -count $(COUNT) \
		$$(git grep -l '^func Benchmark' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,') | tee $(DIST)/bench.txt
	$(TOOL) benchstat $(DIST)/bench.txt
	infra/ratios $(DIST)/bench.txt

.PHONY: demo
demo: ## the main job on this machine, with ROWS rows
	go run ./cmd/penstock demo --rows $(ROWS)

.PHONY: sam-build
sam-build: ## sam build, as a deployment does it
	SAM_CLI_TELEMETRY=0 sam build --config-file infra/samconfig.toml

.PHONY: sam-local
sam-local: ## the events through SAM's containers (Docker)
	@infra/sam-local

.PHONY: mutants
mutants: ## defects put in on purpose, each of which some test must find; MUTANT picks those with that text
	PENSTOCK_MUTANT="$(MUTANT)" go test -tags mutants -count=1 -timeout 120m -v -run TestMutants ./shared/pipeline

.PHONY: simulation
simulation: ## SEEDS seeds of the whole road, from SEED on, within 60 minutes on 2 cores
	PENSTOCK_SEED=$(SEED) PENSTOCK_SEEDS=$(SEEDS) go test -count=1 -timeout 60m -v -run TestSimulation ./shared/pipeline

.PHONY: proof
proof: ## what takes longer than CI may: many seeds, processes killed, a million rows, long fuzzing
	$(MAKE) --no-print-directory simulation
	$(MAKE) --no-print-directory proof-processes
	go run ./cmd/penstock demo --rows 100000 --kill --json | infra/checkdemo
	go run ./cmd/penstock demo --rows 1000000 --only sf_health --json | infra/checkdemo
	infra/fuzz $(FUZZ)

.PHONY: bench-parquet
bench-parquet: ## PARQUET rows of a Parquet file with penstock run, against demo: memory and rate
	infra/bench-parquet $(PARQUET)

# The servers are stopped where this started them; those that ran before stay.
.PHONY: proof-processes
proof-processes: ## the built binaries killed and throttled, on DynamoDB Local and ElasticMQ
	@arch=$$(go env GOHOSTARCH); $(MAKE) --no-print-directory -s build GOARCH=$$arch DIST=dist/$$arch; \
	was=$$(.ci/servers env 2>/dev/null || true); .ci/servers start; now=$$(.ci/servers env); eval "$$now"; \
	[ "$$was" = "$$now" ] || trap '.ci/servers stop' EXIT; \
	PENSTOCK_PROOF_ROWS=$(KILLED) PENSTOCK_BOOTSTRAPS=$$PWD/dist/$$arch \
		go test -count=1 -v -timeout 60m -run 'TestBootstraps' ./shared/local/

.PHONY: clean
clean: ## what builds leave behind
	rm -rf dist .aws-sam
