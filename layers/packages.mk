# The one build recipe of the layers that carry packages; the Makefile of each of their folders includes it. No symbolic
# links: a source archive of CodePipeline has none. SAM (BuildMethod: makefile), `make build` and the local stack all run
# it in the folder itself, with ARTIFACTS_DIR set. Without more it gets wheels for the Lambda runtime of template.yaml:
# Python 3.13 on arm64, or on ARCH=x86_64. The local stack gives its own interpreter as PYTHON and empty
# PIP_PLATFORM_FLAGS, and gets wheels for that interpreter.
#
# What no function reads goes: commands, tests, stubs, what unused.txt lists, and of each package's own description all
# but METADATA, by which scanners of vulnerabilities know packages and versions.
PYTHON ?= python3
ARCH ?= arm64
PYTHON_VERSION ?= 3.13
MACHINE = $(if $(filter arm64,$(ARCH)),aarch64,$(ARCH))
PIP_PLATFORM_FLAGS ?= --platform manylinux_2_28_$(MACHINE) --platform manylinux2014_$(MACHINE) \
    --implementation cp --python-version $(PYTHON_VERSION) --only-binary=:all:
PACKAGES = $(ARTIFACTS_DIR)/python

build-%:
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-compile $(PIP_PLATFORM_FLAGS) \
	    --target "$(PACKAGES)" --requirement requirements.txt
	test ! -e unused.txt || (list=$$PWD/unused.txt && cd "$(PACKAGES)" && rm -rf $$(grep -v '^#' "$$list"))
	rm -rf "$(PACKAGES)/bin"
	find "$(PACKAGES)" -depth \( -name tests -type d -o -name '*.pyi' -o -path '*.dist-info/*' ! -name METADATA \) \
	    -exec rm -rf {} +
