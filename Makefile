# The commands of the project; each works on a fresh clone with the Rust toolchain.
.PHONY: help test test-long clients conformance lint fmt bench bench-long run doc

CARGO ?= cargo
export CARGO

help:
	@awk -F': *## ' '/^[a-z-]+:.*## / { sub(/:.*/, "", $$1); printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## Everything that must pass: clients, build, tests, documentation examples, the official conformance suite
	@tests/all

test-long: ## Ten thousand pushes, 200 kills, 200 races on one repository's tags, the REST API fuzzed for 5 minutes; on a release build
	$(CARGO) test --locked --release --test load -- --nocapture
	CRASH_ROUNDS=200 RACE_ROUNDS=200 $(CARGO) test --locked --release --test crash -- --nocapture
	FUZZING_SECONDS=300 $(CARGO) test --locked --release --test clients -- --nocapture openapi::a_fuzzer

clients: ## Installs the independent clients the tests drive, once
	@tests/clients/install

conformance: ## The official suite of the distribution specification, gated on its counts
	@spec-conformance/run

lint: ## Formatting, lints in all three feature sets, documentation
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --test load -- -D warnings
	$(CARGO) clippy --locked --no-default-features --features cli -- -D warnings
	$(CARGO) clippy --locked --no-default-features --features server -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

fmt: ## Formats the code
	$(CARGO) fmt

bench: ## A quarter of an hour of figures: beside distribution, nginx and oras, and of a full catalogue; see benches/results
	$(CARGO) bench --locked --bench registry

bench-long: ## The same with a million manifests stored and a million packages, then packing, reading and matching
	$(CARGO) bench --locked --bench registry -- --million
	$(CARGO) bench --locked --bench package

run: ## A registry on 127.0.0.1:5050 with its data in target/registry
	$(CARGO) run --locked -- registry serve --data target/registry

doc: ## The library's documentation, in the browser
	$(CARGO) doc --no-deps --open
