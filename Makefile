# make test needs Go, make and, on a fresh Debian machine, root: it installs the rest itself. `make help` lists the targets.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

GOLANGCI_LINT_VERSION := v2.15.0

# Fetched and built parts that are no product: jars of the Kafka distribution, linter, test services.
CACHE    := $(or $(KCONNECT_CACHE),$(CURDIR)/build)
TOOLS    := $(CACHE)/tools
LINT     := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
SERVICES := $(TOOLS)/services

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
# timetzdata: time zones are inside, so that the binary runs in an empty container and on Windows.
GOBUILD := CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags '-s -w -X main.version=$(VERSION)'
PLATFORMS := windows/amd64 darwin/arm64 linux/arm64

PACKAGES ?= ./...
FUZZTIME ?= 1m
SOAK     ?= 5m
ROWS     ?= 1000000

.PHONY: help build demo setup test race bench bench-peers soak fuzz lint docs fmt cross clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 13

build: ## bin/kconnect, static, with its two links
	@mkdir -p bin
	$(GOBUILD) -o bin/kconnect ./cmd/kconnect
	@ln -sf kconnect bin/connect-distributed
	@ln -sf kconnect bin/connect-standalone

demo: build ## rows through an embedded broker and database, nothing needed
	bin/kconnect demo

setup: ## install what the tests run on, or name what is missing
	@test/harness/setup.sh

$(SERVICES): $(wildcard test/harness/cmd/services/*.go test/harness/service/*.go) go.mod
	@mkdir -p $(@D)
	go build -o $@ ./test/harness/cmd/services

# Services start once for all packages and stop with the run, also when it fails or is interrupted.
test: setup build $(SERVICES) ## every test, with the race detector, on real services
	KCONNECT_TEST_BINARY=$(CURDIR)/bin/kconnect $(SERVICES) -only kafka,mariadb,postgres go test -race -timeout 15m $(PACKAGES)

race: setup $(SERVICES) ## every test anew, the worker processes with the race detector too
	KCONNECT_TEST_RACE=1 $(SERVICES) -only kafka,mariadb,postgres go test -race -count=1 -timeout 30m $(PACKAGES)

bench: setup build $(SERVICES) ## rows per second, CPU and memory beside the raw loops of the same run; groups of workers with many connectors
	KCONNECT_TEST_BINARY=$(CURDIR)/bin/kconnect $(SERVICES) -only kafka,mariadb,postgres -fast go run ./test/bench -svg docs/performance.svg

bench-peers: setup build $(SERVICES) ## our sink beside Java's in one run, on MariaDB and PostgreSQL; ROWS=1000000; KCONNECT_PEER_JDBC=dir adds the connector whose jars are there
	@test/harness/setup.sh peers
	KCONNECT_TEST_BINARY=$(CURDIR)/bin/kconnect $(SERVICES) -only kafka,mariadb,postgres -fast go run ./test/bench -only peers -rows $(ROWS)

soak: setup build $(SERVICES) ## the long fault tests; SOAK=5m is their length
	KCONNECT_TEST_BINARY=$(CURDIR)/bin/kconnect SOAK=$(SOAK) $(SERVICES) -only kafka,mariadb,postgres go test -count=1 -timeout 3h -run 'Soak|Forgets' -v ./test/... ./connect/converter/...

fuzz: ## each fuzz target for FUZZTIME=1m
	@grep -rn --include='*_test.go' -oE '^func Fuzz[A-Za-z0-9_]*' connect connectors rest cmd test | \
	while IFS=: read -r file _ target; do \
		echo "fuzz: $${target#func } in $$(dirname "$$file")"; \
		go test -run '^$$' -fuzz "^$${target#func }\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s "./$$(dirname "$$file")" </dev/null; \
	done

$(LINT):
	@mkdir -p $(@D)
	@echo 'lint: building golangci-lint $(GOLANGCI_LINT_VERSION) (about two minutes, once)'
	GOBIN=$(TOOLS) GOFLAGS= go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(TOOLS)/golangci-lint $@

lint: $(LINT) ## golangci-lint with .golangci.yml
	$(LINT) run $(PACKAGES)

docs: ## write docs/configuration.md, docs/plugins.md and docs/metrics.md from the definitions
	KCONNECT_WRITE_DOCS=1 go test -count=1 -run TestTheReference ./cmd/kconnect

fmt: $(LINT) ## format the code
	$(LINT) fmt

cross: ## compile for the other platforms
	@for platform in $(PLATFORMS); do \
		echo "cross: $$platform"; \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} $(GOBUILD) -o $(CACHE)/cross/kconnect-$${platform/\//-} ./cmd/kconnect; \
	done

clean: ## remove what was built, but not the fetched jars and tools
	rm -rf bin $(CACHE)/cross $(CACHE)/test $(SERVICES)
