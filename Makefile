# The commands of this project; `make` alone lists them. Each first installs the tools that it needs and that are
# missing.

# Debian can install several MPI libraries side by side, and plain mpirun may belong to any of them: this uses Open MPI
# by its name where that exists. Elsewhere (modules, Spack) plain mpicc and mpirun are those of the loaded library. Only
# bench and tests/rsmpi are built with mpicc.
MPICC  ?= $(shell command -v mpicc.openmpi || command -v mpicc)
MPIRUN ?= $(shell command -v mpirun.openmpi || command -v mpirun)
export MPICC MPIRUN

# By default Open MPI refuses to run as root or with more ranks than cores, and binds each rank to one core. MPICH
# ignores these variables. The PRTE_ names are those of Open MPI 5.
ifeq ($(shell id -u),0)
export OMPI_ALLOW_RUN_AS_ROOT = 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM = 1
endif
export OMPI_MCA_rmaps_base_oversubscribe = 1
export OMPI_MCA_hwloc_base_binding_policy = none
export PRTE_MCA_rmaps_default_mapping_policy = :oversubscribe
export PRTE_MCA_hwloc_default_binding_policy = none

CHECKS := fmt lint tidy doc
TESTS  := test-default test-mpich test-embedded loom fuzz instructions

.PHONY: chaos corpus help setup setup-test setup-mpis setup-rdma setup-valgrind build demo test test-rdma test-mpis check
.PHONY: install bench bench-full sim clean msrv nightly package soak steps $(CHECKS) $(TESTS)

help:
	@echo 'Each command first installs the tools that it needs and that are missing.'
	@echo
	@echo 'make demo     builds, and shows tasks, objects and actors, in one process and under mpirun'
	@echo 'make test     runs every test: Open MPI, MPICH, and without any C library; as root also under Slurm, on three'
	@echo '              hosts made of namespaces'
	@echo 'make test-rdma  runs the tests that need RDMA devices, in a virtual machine with software devices'
	@echo 'make test-mpis  runs the tests that depend on the MPI library with Open MPI 5 and MPICH 5 from PyPI (nightly)'
	@echo 'make soak MINUTES=n  works and kills ranks for n minutes; fails if memory, descriptors or threads of others grow'
	@echo 'make msrv     checks everything, and tests the library, with the oldest Rust that Cargo.toml promises'
	@echo 'make package  builds the crates as they would be published, from their packages alone'
	@echo 'make nightly  what is too long for each change: msrv, package, test-mpis, chaos, soak for an hour'
	@echo 'make chaos ROUNDS=n  kills and stops ranks at random moments, n times; SEED=s repeats those of a seed'
	@echo 'make loom     runs the lock-free code in every order that its atomics allow'
	@echo 'make fuzz SECONDS=n  fuzzes each of five decoders of bytes from peers for n seconds'
	@echo 'make corpus   writes the inputs with which fuzzing begins: needed after a message has changed'
	@echo 'make check    checks format, clippy, the lint rules of tests/tidy.rs, documentation'
	@echo 'make build    builds everything for release; the command is target/release/mobula'
	@echo 'make install PREFIX=/opt/mobula  installs what make build built, for programs in C, C++ and Fortran, without'
	@echo '              network; DESTDIR=FOLDER puts a package together there'
	@echo 'make sim SEEDS=n  simulates n clusters under random faults, then workloads on 10,000 ranks'
	@echo 'make instructions  counts the instructions of calls and tasks: fails if one takes 3 % more than the number kept'
	@echo '              in bench/results/instructions.txt; KEEP=1 keeps what it counts'
	@echo 'make bench    measures briefly, beside rayon, plain MPI and Ray, to see that all of it works; JSON=FILE keeps'
	@echo '              the results'
	@echo 'make bench-full  measures with enough samples for figures (half an hour); SUITES="rpc uts" selects suites'
	@echo 'make setup    only installs the missing tools, and says first which'
	@echo 'make clean    removes what was built'

setup:
	@.ci/setup

setup-test:
	@.ci/setup with-mpich with-lab with-fortran with-clang with-valgrind

setup-mpis:
	@.ci/setup with-mpis

setup-valgrind:
	@.ci/setup with-valgrind

setup-rdma:
	@.ci/setup with-rdma

# The second is what `make install` takes: without hwloc, so that it runs on hosts that lack it. The kernel says the same
# of cores and memory nodes.
build: setup
	cargo build --release --workspace
	cargo build --profile installed -p mobula-capi -p mobula-cli --no-default-features --features mpi,verbs,cuda

install:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' native/install

demo: setup
	cargo build --release -p mobula-cli
	target/release/mobula demo walkthrough
	$(MPIRUN) -n 2 target/release/mobula demo uts --tree T1

test: $(TESTS)
check: $(CHECKS)

# With every feature. Tests start ranks with $MPIRUN.
test-default: setup-test
	cargo test --workspace

# The tests whose result may depend on the MPI library, or on having none.
RANK_TESTS := --lib --test cluster --test launch --test bad_input

# Tests on the hosts of the lab run once, with every feature, with and without MPI.
NO_LAB := --skip hosts:: --skip outages:: --skip networks:: --skip slurm::

# The build of test-default, that of the whole workspace, with MPICH: programs find its library under its launcher.
test-mpich: setup-test
	@if command -v mpirun.mpich >/dev/null; then \
	    set -ex; export MPIRUN=mpirun.mpich; \
	    cargo test --workspace $(RANK_TESTS) -- $(NO_LAB); \
	else echo 'mpirun.mpich is missing: the tests with MPICH are left out'; fi

# Open MPI 5 and MPICH 5, which Debian does not package, with the same build. Not part of `make test`, because it needs
# PyPI. It runs nightly, and before a change to src/transport/mpi or src/boot/mpi is merged.
test-mpis: setup-test setup-mpis
	@.ci/mpi-libraries

# Without any C library: the program must not be linked with one. Unoptimized, as `cargo run` builds a user's program,
# which also takes a third of the time to build.
test-embedded: export CARGO_PROFILE_DEV_OPT_LEVEL = 0
test-embedded: export CARGO_PROFILE_DEV_DEBUG = 0
test-embedded: setup-test
	CARGO_TARGET_DIR=target/embedded cargo build -p mobula --no-default-features --examples
	CARGO_TARGET_DIR=target/embedded cargo test -p mobula --no-default-features $(RANK_TESTS) -- $(NO_LAB)
	CARGO_TARGET_DIR=target/embedded cargo build -p mobula-cli -p mobula-capi --no-default-features
	@if ldd target/embedded/debug/mobula target/embedded/debug/libmobula_capi.so | grep -E 'hwloc|mpi|ibverbs|cuda'; then \
	    echo 'built without features, but linked with these libraries' >&2; exit 1; fi
	target/embedded/debug/mobula demo sqrt-sum

# More rounds of the test of which `make test` runs twenty-one.
chaos: setup
	cargo build -p mobula --examples
	CHAOS_ROUNDS=$(or $(ROUNDS),100) $(if $(SEED),CHAOS_SEED=$(SEED)) cargo test -p mobula --test chaos -- --nocapture

# From 15 minutes on, caches are full when it begins to measure between two deaths: then a growth of 1 % is a leak.
soak: setup
	cargo build -p mobula --example soak
	SOAK_MINUTES=$(or $(MINUTES),20) cargo test -p mobula --test soak -- --nocapture

# rustup installs that version beside the others, if it is missing.
RUST_LEAST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
msrv: setup
	rustup toolchain install $(RUST_LEAST) --profile minimal --no-self-update
	CARGO_TARGET_DIR=target/msrv cargo +$(RUST_LEAST) check --workspace --all-targets --locked
	CARGO_TARGET_DIR=target/msrv cargo +$(RUST_LEAST) test -p mobula --lib --locked

# Cargo packs each crate, and builds it from its package in a folder of its own.
package: setup
	cargo package --locked -p mobula-macros -p mobula -p mobula-cli --allow-dirty

nightly: msrv package test-mpis chaos
	$(MAKE) soak MINUTES=60

# Over RDMA, in a virtual machine that QEMU interprets.
test-rdma: setup-rdma
	tests/rdma/run

# The code itself with loom's atomics, in a target folder of its own: every crate is built for it.
loom: setup
	RUSTFLAGS='--cfg loom' CARGO_TARGET_DIR=target/loom \
	    cargo test -p mobula --lib --no-default-features --profile loom loom::

# With the default time this is a smoke test. It needs Rust and a C++ compiler only. A test of the library also decodes
# the corpus.
SECONDS := 4
fuzz: setup
	tests/fuzz/run $(SECONDS)

corpus: setup
	SEEDS=tests/fuzz/corpus cargo test -p mobula --lib -- --ignored decoders::corpus::write_the_seeds

fmt:
	cargo fmt --all --check

lint: setup
	cargo clippy --workspace --all-targets -- -D warnings
	CARGO_TARGET_DIR=target/embedded cargo clippy --workspace --all-targets --no-default-features -- -D warnings

tidy: setup
	cargo test -p mobula --test tidy

doc: setup
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# Built as users build, without link-time optimization. Results are appended to the file JSON; a page and a table of
# them are written beside it, also if a case failed.
SUITES ?= all
bench: setup
	cargo build --profile user -p mobula-bench
	target/user/mobula-bench run $(SUITES) --quick $(if $(JSON),--json $(JSON); code=$$?; $(report); exit $$code)

bench-full: PLOTS = --plots $(dir $(JSON))plots
bench-full: JSON ?= bench/results/$(shell git describe --always --dirty --abbrev=12).json
bench-full: setup
	cargo build --profile user -p mobula-bench
	mkdir -p $(dir $(JSON))
	target/user/mobula-bench run $(SUITES) --json $(JSON); code=$$?; $(report); exit $$code

report = target/user/mobula-bench report $(JSON) $(PLOTS)

# The one measurement that is a test: what it counts repeats to 1 %, also on a busy machine. The harness is the one that
# the tests use; it builds the counted program as a user's crate is built.
instructions: setup setup-valgrind
	cargo run -p mobula-bench -- run instructions --only '(default, untraced)' $(if $(KEEP),--keep)

SEEDS ?= 20000
sim: setup
	cargo build --profile user -p mobula-bench
	target/user/mobula-bench sim --seeds $(SEEDS)
	target/user/mobula-bench sim

clean:
	cargo clean

# The steps of .ci/run.
steps:
	@echo $(CHECKS) $(TESTS)
