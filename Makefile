# make demo: the example scan through Spark.  make test: every test of the default tier.  Both set up and build what they need.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PATH := $(PATH):$(HOME)/.cargo/bin
# Spark asks for the address of this machine's name, which a bare chroot may not know.
ifneq ($(shell getent hosts "$$(uname -n)" > /dev/null || echo unknown),)
export SPARK_LOCAL_IP ?= 127.0.0.1
endif

GRADLE := gradle --no-daemon --quiet
# Debian's launcher of Gradle has Java print its version at each start.
WITHOUT_JAVA_VERSION := 2> >(exec grep -viE '^openjdk ' >&2)
MASTER := local[2]
SERIES := demo/series
RESULT := demo/result
# Real scanner output beside the checkout, which bench-python reads where it is there.
SAMPLES := $(addprefix ../shared/data/,philips_head_phantom_axial_S2020 philips_tilt_S21610) --single ../shared/data/codec_ct
# JupyterLab starts as root only if it is told so.
JUPYTER := $(if $(filter 0,$(shell id -u)),--allow-root)

# Targets without a dot or a slash in their names are not files.
.PHONY: $(shell grep -hoE '^[a-z0-9-]+:' $(MAKEFILE_LIST) | tr -d :)

help: ## say what the targets are
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /make \1\t/' | expand -t 16

setup:
	@scripts/setup.sh build

setup-test:
	@scripts/setup.sh test

build: setup ## build the native library, the command and the Spark job
	@$(GRADLE) assemble $(WITHOUT_JAVA_VERSION)
	@SPARK_HOME= bin/tomobasis-submit --share-classes || echo 'jobs work without'

$(SERIES):
	@scripts/setup.sh demo
	@mkdir -p $(@D)
	@.venv/bin/python examples/ct_series/make_ct_series.py $@

demo: build $(SERIES) ## decompose the example scan with spark-submit into demo/result
	@bin/tomobasis-submit --master '$(MASTER)' -- --input $(SERIES) --output $(RESULT) --overwrite

PREFIX := /usr/local
installed = $(DESTDIR)$(PREFIX)
PROGRAM = $${CARGO_TARGET_DIR:-target}/release/tomobasis
install: ## the command that `make build` has built, completions and manual pages, below PREFIX
	@[ -x "$(PROGRAM)" ] || { echo "error: the command is not built yet; run make build"; exit 1; } >&2
	@install -D -m 755 "$(PROGRAM)" "$(installed)/bin/tomobasis"
	@scripts/shell-files.sh "$(installed)/bin/tomobasis" "$(installed)/share"

uninstall: ## what `make install` has put below PREFIX
	@[ ! -x "$(installed)/bin/tomobasis" ] || scripts/shell-files.sh --remove "$(installed)/bin/tomobasis" "$(installed)/share"
	@rm -f "$(installed)/bin/tomobasis"

MAVEN_REPOSITORY := build/maven
portable: setup-test ## the jar and the command for glibc 2.17 and later, in build/portable
	@$(GRADLE) -Pportable :spark-job:sparkJar $(WITHOUT_JAVA_VERSION)

publish-local: setup-test ## such a jar with sources and documentation, into the Maven repository in the folder MAVEN_REPOSITORY
	@$(GRADLE) -Pportable -Dmaven.repo.local='$(abspath $(MAVEN_REPOSITORY))' :spark-job:publishToMavenLocal $(WITHOUT_JAVA_VERSION)

test-published: setup-test ## what publish-local makes, and a project of its own that uses it
	@.venv/bin/python -m pytest tests/published

test-spark-versions: setup-test build ## the jar on every Spark that it is for; on the JDKs in TOMOBASIS_JDKS too (folders, with : between)
	@.venv/bin/python -m pytest tests/versions

wheel: setup-test ## the Python package as a wheel for x86-64 and glibc 2.17 and later, in build/manylinux
	@scripts/wheel.sh manylinux
	@ls build/manylinux/*.whl

wheel-aarch64: setup-test ## the same for aarch64, in build/manylinux-aarch64
	@scripts/wheel.sh aarch64
	@ls build/manylinux-aarch64/*.whl

test: setup-test ## set up, build, run all tests of the default tier
	@.venv/bin/python tests/run.py

test-emulation: setup-test build ## the command on other CPUs, by qemu: x86-64 without AVX-512, AVX2 or FMA
	@.venv/bin/python tests/run.py emulation

test-emulation-aarch64: setup-test ## the command, the kernels' own tests and the wheel on aarch64, cross-built, by qemu
	@.venv/bin/python tests/run.py aarch64

sanitize: ## the kernels' tests under Miri and the address sanitizer (nightly Rust)
	@scripts/sanitize.sh

golden: setup-test build ## record the digests of the synthetic scans again (tests/golden) and say which changed
	@PYTHONPATH=tests:tests/data:examples/ct_series .venv/bin/python -m golden.record

lint: setup-test ## formatters and linters only
	@.venv/bin/python tests/run.py lint

bench: setup-test build $(SERIES) ## measure the demo's stages, in process and through Spark
	@.venv/bin/python bench/stages.py --input $(SERIES)

bench-start: setup-test build $(SERIES) ## measure what sharing of Spark's classes saves a job
	@.venv/bin/python bench/start.py --input $(SERIES)

bench-archive: setup-test build ## measure --series all on 1,000 small series against the command on each core, and listing 10,000 files
	@.venv/bin/python bench/archive.py
	@$(GRADLE) -Psuite=io.ListingSuite :spark-api:scalaTest $(WITHOUT_JAVA_VERSION)

bench-spark: setup-test build $(SERIES) ## measure MLlib's decompositions and Mahout's dssvd beside the job
	@bench/spark/setup.sh
	@.venv/bin/python bench/spark/run.py --input $(SERIES)

bench-reader: setup-test ## measure reading of DICOM files against pydicom
	@.venv/bin/python bench/reader.py

.venv-bench/ready: bench/requirements.txt | setup
	@python3 -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

bench-randomized: build $(SERIES) .venv-bench/ready ## compare dssvd with scikit-learn's and Mahout's method: errors of s, residual
	@.venv-bench/bin/python bench/peers/randomized.py $(SERIES)

bench-truth: build .venv-bench/ready ## count the right digits of other programs' decompositions of the reference matrices
	@.venv-bench/bin/python bench/truth.py

bench-peers: build $(SERIES) .venv-bench/ready ## measure the kernels against OpenBLAS, LAPACK, faer, scikit-learn and Dask
	@.venv-bench/bin/python bench/peers/run.py
	@.venv-bench/bin/python bench/peers/plot.py build/bench/peers.json build/bench/peers.svg

bench-large: setup .venv-bench/ready ## measure 1,000 to 8,000 columns against OpenBLAS's dsyrk and NumPy's eigh
	@.venv-bench/bin/python bench/peers/large.py

bench-real: setup .venv-bench/ready ## measure the exact Gram matrix of float32 and float64 values against OpenBLAS's dsyrk
	@.venv-bench/bin/python bench/peers/floats.py

bench-denoise: build .venv-bench/ready ## measure denoising on heads with known truth against other denoisers and the SVD of whole slices
	@scripts/setup.sh demo
	@.venv-bench/bin/python bench/denoise/run.py

bench-python: setup $(SERIES) .venv-bench/ready ## measure the Python package against NumPy, SciPy, scikit-learn, Dask, pydicom, SimpleITK, dicom2nifti
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check ./python
	@.venv-bench/bin/python bench/python/svd.py
	@.venv-bench/bin/python bench/python/reading.py $(SERIES) $(SAMPLES)

.venv-docs/ready: docs/requirements.txt | setup
	@python3 -m venv .venv-docs
	@.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

docs: .venv-docs/ready ## the documentation as a site, in build/site; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet --strict
	@echo build/site/index.html

options: setup ## write docs/reference/options.md again, from the command's parser
	@TOMOBASIS_RECORD=1 cargo test --quiet --release --locked -p tomobasis-cli options_page

.venv-notebook/ready: examples/requirements.txt requirements.txt | setup
	@python3 -m venv .venv-notebook
	@.venv-notebook/bin/python -m pip install --quiet --use-pep517 --disable-pip-version-check -r $<
	@touch $@

notebook: setup .venv-notebook/ready ## JupyterLab on the notebooks of examples/, with the Python package
	@.venv-notebook/bin/python -m pip install --quiet --disable-pip-version-check ./python
	@cd examples && ../.venv-notebook/bin/jupyter lab $(JUPYTER)

image-root: build # what the image holds besides Debian, in build/image/root
	@$(GRADLE) :image:stage $(WITHOUT_JAVA_VERSION)

image: image-root ## the image for Kubernetes as build/image/tomobasis.tar, without Docker
	@k8s/image/build.sh

image-arm64: setup ## the same for arm64 as build/image-arm64/tomobasis.tar, made on x86-64: cross-built, and set up by qemu
	@tests/emulation/setup.sh aarch64
	@$(GRADLE) -Parch=arm64 :image:stage $(WITHOUT_JAVA_VERSION)
	@k8s/image/build.sh arm64

test-faults: setup-test build ## the job on a cluster of processes that are killed, stopped and woken up; memory over 200 jobs and of a large scan; ever more memory in small steps (half an hour)
	@.venv/bin/python -m pytest tests/faults
	@TOMOBASIS_MEMORY_STEP=1.02 .venv/bin/python -m pytest tests/output/test_memory.py

test-chaos: setup-test build ## jobs on a cluster of processes, and 1,000 faults at random (SEED=, FAULTS=; hours; goes on where it was interrupted)
	@.venv/bin/python tests/chaos.py $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults $(FAULTS))

test-store: setup-test image-root ## the job on a real S3 server (built once, by Go)
	@.venv/bin/python tests/cluster/build.py s3
	@.venv/bin/python -m pytest tests/cluster/test_store.py

test-cluster: setup-test build ## the job under the Spark operator, on the cluster of KUBECONFIG or one started for it (20 minutes once)
	@scripts/wheel.sh test
	@.venv/bin/python tests/cluster/run.py

clean: ## remove what was built (not .venv, not demo/)
	@cargo clean --quiet
	@$(GRADLE) clean
