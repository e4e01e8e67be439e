# make demo   sets up what the program needs and runs the whole chain on real images
# make test   sets up what the tests need and runs them
# Both only need python3 (3.11 or newer) with its venv module, make and a package index.

.PHONY: demo test check clean
PYTHON ?= python3
BIN := .venv/bin

demo: .venv/runtime.stamp
	@$(BIN)/sitewatch demo --out demo

test: .venv/dev.stamp
	@$(BIN)/pytest

check: .venv/dev.stamp
	@scripts/check

clean:
	rm -rf .venv demo dist build

$(BIN)/uv: requirements/uv.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/runtime.stamp: $(BIN)/uv requirements/runtime.txt pyproject.toml
	$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements/runtime.txt
	$(BIN)/uv pip install --quiet --no-deps -e .
	@touch $@

.venv/dev.stamp: .venv/runtime.stamp requirements/dev.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements/dev.txt
	@touch $@
