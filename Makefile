# `make demo` is the way in. Every target builds .venv from requirements.lock when it has to.

PYTHON ?= python3
ARGS ?=
ONLY ?=
CHEAT ?=
JOBS ?= 3

# Changes when the packages, the project's metadata or its folder do.
KEY := $(shell { pwd; cat pyproject.toml requirements.lock; } | sha256sum | cut -c1-16)
READY := .venv/ready-$(KEY)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo up setup check programs test bench docs lock clean
.DEFAULT_GOAL := demo

demo: setup
	@.venv/bin/python -m cli.demo $(if $(CHEAT),--cheat) $(ARGS)

up: setup
	@.venv/bin/overnight up $(ARGS)

setup: $(READY)

check: setup
	@status=0; \
	for tool in "ruff check" "ruff format --check" mypy lint-imports "deptry ." vulture codespell; do \
	  report=$$(.venv/bin/$$tool 2>&1) || { printf '== %s\n%s\n' "$$tool" "$$report"; status=1; }; \
	done; \
	exit $$status

# What the tests use beside the packages: the browser that tests/browser/chromium.py looks for, the
# library (libatomic1) that its driver needs and a small Debian lacks, and strace.
programs: setup
	@.venv/bin/python -m playwright --version >/dev/null 2>&1 && command -v strace >/dev/null && \
	  for name in $${OVERNIGHT_TEST_BROWSER:-chromium chromium-browser google-chrome}; do \
	    command -v "$$name" >/dev/null && exit 0; \
	  done; \
	root=; [ "$$(id -u)" = 0 ] || root="sudo -n"; \
	if [ -z "$$OVERNIGHT_TEST_BROWSER" ] && command -v apt-get >/dev/null && $$root true 2>/dev/null; then \
	  echo "Installing Chromium and strace for the tests (once) ..."; \
	  $$root apt-get -qq update && \
	  $$root env DEBIAN_FRONTEND=noninteractive \
	    apt-get -qq install -y --no-install-recommends chromium libatomic1 strace >/dev/null && exit 0; \
	fi; \
	echo "The tests need Chromium and strace: sudo apt-get install -y chromium libatomic1 strace." \
	  "A Chromium of another place can be named in OVERNIGHT_TEST_BROWSER" >&2; \
	exit 1

# More than there are cores: many tests wait, for timeouts or for processes to start. By file, since
# the tests of one share what they set up; in their order, since the long ones are in the middle.
test: programs check
	@.venv/bin/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

bench: setup
	@.venv/bin/python -m bench $(if $(ONLY),--only $(ONLY))

# Pages that are made from the code.
docs: setup
	@.venv/bin/python -m tests.documents

# Keeps the versions that still fit; `make lock ARGS=--upgrade` takes the newest. The image installs
# the second lock: the same versions, without what only developers need.
COMPILE = .venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --universal \
  --python-version 3.11 --custom-compile-command "make lock" pyproject.toml
lock: setup
	@$(COMPILE) --extra dev $(ARGS) --output-file requirements.lock
	@$(COMPILE) --extra image --constraints requirements.lock --output-file requirements-runtime.lock

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv installs in seconds but reads neither pip's configuration nor its mirrors; where it cannot
# reach an index, pip does the same from the same hashes.
$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Overnight needs Python 3.11 or newer, and '$(PYTHON)' is missing or older:" \
	    "sudo apt-get install -y python3.11 python3.11-venv, then make PYTHON=python3.11" >&2; \
	  exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "Overnight keeps its packages in .venv, and '$(PYTHON)' lacks the venv module for that:" \
	    "sudo apt-get install -y python$$version-venv" >&2; \
	  exit 1; }
	@echo "Setting up .venv (once) ..."
	@[ "$$(cat .venv/home 2>/dev/null)" = "$(CURDIR)" ] && [ -x .venv/bin/python ] || { \
	  $(PYTHON) -m venv --clear .venv && echo "$(CURDIR)" > .venv/home; }
	@awk '/^uv==/ {found=1} found {print} found && !/\\$$/ {exit}' requirements.lock > .venv/uv.txt
	@.venv/bin/python -m pip install --quiet --no-deps --require-hashes -r .venv/uv.txt 2>.venv/setup.log \
	  && .venv/bin/uv pip sync --quiet --require-hashes --python .venv/bin/python requirements.lock \
	    2>>.venv/setup.log \
	  || .venv/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@rm -f .venv/ready-*
	@touch $@
