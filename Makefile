# `make run` runs the pipeline (a built-in sample, or INPUT=sheet.csv), `make test` passes the tests.
# Both first set up what they need, once: a Python environment in .venv, and Nextflow where there is none on PATH.

SHELL   := bash
VENV    := .venv
OUTDIR  ?= results
PROFILE ?=
ARGS    ?=
PYTHON  ?=
SAMPLE  := .phantom
SITE    := _site

# The packages are installed without bytecode: the first Python that imports a module keeps it, or each would compile it again.
unexport PYTHONDONTWRITEBYTECODE

NEXTFLOW := tools/nextflow/launch
IN_VENV  := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" NXF_OFFLINE=true

.PHONY: run test lint docs setup clean help

help:
	@sed -n '1,2s/^# //p' Makefile

setup: $(VENV)/.ready

$(VENV)/.ready: containers/requirements-dev.lock pyproject.toml
	@echo "Setting up Python in $(VENV) (once; a few minutes, several GB)"
	python=$$(tools/find_python.sh $(call quoted,PYTHON)) && "$$python" -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --require-hashes --requirement containers/uv.lock
	$(VENV)/bin/uv pip sync --quiet --python $(VENV)/bin/python --require-hashes containers/requirements-dev.lock
	$(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

# A value as it was written, as one word of the shell: folders have spaces, quotes, brackets and dollar signs in their names.
# ARGS is several words, and quotes in it are the shell's.
quoted = '$(subst ','\'',$(value $(1)))'

ifdef INPUT
run: setup
	$(IN_VENV) $(NEXTFLOW) run . $(if $(PROFILE),-profile $(call quoted,PROFILE)) --input $(call quoted,INPUT) --outdir $(call quoted,OUTDIR) $(ARGS)
else
run: setup $(SAMPLE)/samplesheet.csv
	$(IN_VENV) $(NEXTFLOW) run . -profile test$(if $(PROFILE),$(comma)$(call quoted,PROFILE)) --input $(SAMPLE)/samplesheet.csv --outdir $(call quoted,OUTDIR) $(ARGS)
endif

comma := ,

$(SAMPLE)/samplesheet.csv: setup
	$(IN_VENV) clearspot simulate $(SAMPLE) --preset test --samples 2

lint: setup
	$(IN_VENV) tests/lint.sh

# The documentation as a site. A warning fails: a link that leads nowhere, a docstring that cannot be read.
docs: setup
	$(IN_VENV) python -W ignore::FutureWarning -m sphinx --quiet --fail-on-warning --keep-going --doctree-dir .sphinx docs $(SITE)
	@echo "$(SITE)/index.html"

# nf-test is on no package registry: its suites run where it is installed, and are said to be skipped where not.
test: setup lint
	@if command -v nf-test >/dev/null; then \
	    PATH="$(CURDIR)/$(VENV)/bin:$$PATH:$(CURDIR)/tools/nextflow/bin" NXF_OFFLINE=true nf-test test --ci; \
	else echo "nf-test: skipped, there is no nf-test on PATH"; fi
	$(IN_VENV) python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 20 tests/python
	$(IN_VENV) python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 8 tests/pipeline

clean:
	rm -rf $(SAMPLE) $(SITE) .sphinx results work .nextflow .nextflow.log*
