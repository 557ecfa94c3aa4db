# The few commands of the project; each works on a fresh clone with the Rust toolchain.
.PHONY: test lint fmt doc

CARGO ?= cargo

# Every test, then the wall time.
test:
	@start=$$(date +%s); $(CARGO) test --locked --all-targets && $(CARGO) test --locked --doc; status=$$?; \
	echo "tests took $$(( $$(date +%s) - start )) s"; exit $$status

# Formatting, lints in all three feature sets, documentation.
lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --no-default-features --features cli -- -D warnings
	$(CARGO) clippy --locked --no-default-features --features server -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

fmt:
	$(CARGO) fmt

doc:
	$(CARGO) doc --no-deps --open
