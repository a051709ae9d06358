# Everything a newcomer needs: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
SINEW := .venv/bin/sinew
PYTEST := .venv/bin/python -m pytest
# Three at once on two cores, since many tests wait for a radio. A file's tests stay together, so that what they share is made once.
SIDE_BY_SIDE := --numprocesses 3 --dist loadfile -p no:benchmark --ignore tests/benchmarks
# What a browser and an app window need on Debian; the tests that want them skip, saying why, where they are absent.
TEST_PACKAGES := chromium fonts-dejavu-core libegl1 libegl-mesa0 libgl1 libgl1-mesa-dri libgles2 libgbm1 libmtdev1 libatomic1 strace

.PHONY: help install demo test test-long test-bluez test-arm64 check bench lock clean test-packages
.DEFAULT_GOAL := help

help: ## say what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

install: .venv/.installed ## make .venv with everything but training

.venv/.installed: requirements/all.txt requirements/bootstrap.txt pyproject.toml tools/setup.sh
	@tools/setup.sh

demo: install ## a whole clinic with one patient exercising now (ARGS="--help" for more)
	@$(SINEW) demo --home .sinew/demo $(ARGS)

test-packages:
	@tools/debian-packages.sh $(TEST_PACKAGES) || echo "The browser and window packages are not all here; the tests that need them skip and say so."

test: install test-packages ## every quick test (minutes)
	@$(PYTEST) -m "not long and not bluez and not arm64" $(SIDE_BY_SIDE) $(ARGS)

test-long: install test-packages ## what takes long: kills, fuzz, many seeds
	@$(PYTEST) -m long $(SIDE_BY_SIDE) --timeout 3600 $(ARGS)

test-bluez: install ## the gateway on real BlueZ, in a virtual machine (minutes; fetches Debian packages)
	@$(PYTEST) tests/bluez -m bluez -s -p no:benchmark --timeout 1800 $(ARGS)

test-arm64: install ## the gateway on an emulated aarch64 (20 minutes the first time; needs root, debootstrap and Linux 6.7)
	@$(PYTEST) tests/aarch64 -m arm64 -s -p no:benchmark --timeout 7200 $(ARGS)

check: install ## style, types, who imports whom, file lengths
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/python tools/check_lengths.py

bench: install ## measured figures: speed and the demo on a real recording
	@$(PYTEST) tests/benchmarks --benchmark-only --benchmark-columns=min,median,max,rounds --timeout 1800 $(ARGS)

lock: install ## resolve the dependencies anew
	@.venv/bin/python tools/lock.py

clean: ## undo install and demo (Debian packages stay)
	@rm -rf .venv .sinew build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
	@echo "Clean."
