# crmwatch: make demo shows it, make test proves it.
GO       ?= go
BIN      := bin/crmwatch
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PACKAGES := ./...
# Tests run what is shipped, which is without C. Only the program that is built for use is
# optimised by its profile: that compiles all it is made of once more.
PLAIN    := -pgo=off
export CGO_ENABLED := 0
# Tests wait for processes, files and engines about as long as they compute, so more packages
# are tested at a time than there are processors.
AT_ONCE  := $(shell expr $$(nproc) + 2)
PACK     := $(GO) test -run '^$$' -bench 'BenchmarkPack$$' -benchtime 1x -timeout 3h ./detectors

.PHONY: all build engine browser demo test unit lint bench quality orders histories faults clean help
all: build

## build: compile bin/crmwatch
build:
	$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/crmwatch

## engine: fetch the embedded ClickHouse engine into the user's cache (once)
engine:
	@./deploy/engine.sh

## browser: find Chromium, or install it with apt-get; tests open pages in it
browser:
	@./deploy/chromium.sh

## demo: write two weeks of an invented company's logs, scan them, show the findings
demo: build engine
	@./examples/demo.sh

## test: everything that must hold before a change lands
test: engine browser lint unit
	@$(GO) run $(PLAIN) ./cmd/crmwatch rules test

# lint has vetted the tests.
unit:
	$(GO) test $(PLAIN) -vet=off -p $(AT_ONCE) -timeout 25m $(PACKAGES)

## lint: formatting, vet, staticcheck
lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'Run gofmt -w on:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet $(PLAIN) $(PACKAGES)
	GOFLAGS="$(GOFLAGS) $(PLAIN)" $(GO) tool staticcheck $(PACKAGES)

## bench: speed beside the engine's own reading of the same file; records and megabytes a second of each format; a run of all rules
bench: build engine
	@$(BIN) bench
	@$(GO) test -run '^$$' -bench 'Formats$$|AgainstBareSplit' ./agent/formats
	@echo 'One run of all rules over the last five minutes of a month; for 100 million events: $(PACK) -pack-events 100000000 -pack-data DIR'
	@$(PACK) -pack-events 2000000

## quality: what the baselines and all rules find and raise in vain, where the truth is known (minutes; held-out seeds)
quality: engine
	@$(GO) run -pgo=off ./detectors/quality $(QUALITY)

## orders: deliver the events of every rule's tests live, late, in random order and twice, over every window (an hour)
orders: engine
	@$(GO) test -timeout 3h ./detectors -run ArrivalOrder -v -all-orders

## histories: 5,000 simulated histories of the pipeline, of which make test takes the first 600 (minutes)
histories:
	@$(GO) test -timeout 3h ./agent -run AnySimulatedHistory -simulations 5000

## faults: kill, starve and cut off real processes; nothing may be lost or doubled (root, strace)
faults: build engine
	@$(GO) run ./faults

clean:
	rm -rf bin demo

help:
	@sed -n 's/^## //p' Makefile
