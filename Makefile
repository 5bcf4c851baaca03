# The commands of this project. Each sets itself up from nothing; `make` alone lists them.

# Debian keeps several MPI libraries side by side, and which one plain mpicc means can change: ask for Open MPI by name
# where it has one. Elsewhere (modules, Spack) plain mpicc and mpirun are those that were loaded.
MPICC  ?= $(shell command -v mpicc.openmpi || command -v mpicc)
MPIRUN ?= $(shell command -v mpirun.openmpi || command -v mpirun)
export MPICC MPIRUN

# Open MPI refuses root and more ranks than cores, and binds each rank to one core, unless told otherwise. MPICH reads none
# of these. The PRTE_ names are those of Open MPI 5.
ifeq ($(shell id -u),0)
export OMPI_ALLOW_RUN_AS_ROOT = 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM = 1
endif
export OMPI_MCA_rmaps_base_oversubscribe = 1
export OMPI_MCA_hwloc_base_binding_policy = none
export PRTE_MCA_rmaps_default_mapping_policy = :oversubscribe
export PRTE_MCA_hwloc_default_binding_policy = none

CHECKS := fmt lint tidy doc
TESTS  := test-default test-mpich test-embedded loom fuzz

.PHONY: chaos corpus help setup setup-test setup-rdma build demo test test-rdma test-mpis check bench bench-full sim clean steps $(CHECKS) $(TESTS)

help:
	@echo 'make demo     installs what is missing, builds, and shows tasks, objects and actors at work, alone and under mpirun'
	@echo 'make test     installs what is missing, builds, and runs every test: Open MPI, MPICH, and without any C library;'
	@echo '              as root also on three hosts made of namespaces, under Slurm'
	@echo 'make test-rdma  the tests that need RDMA devices, in a virtual machine that has some'
	@echo 'make test-mpis  what MPI can make a difference to, against Open MPI 5 and MPICH 5 from PyPI (nightly: it builds twice)'
	@echo 'make chaos ROUNDS=n  ranks killed and stopped at random moments, n times; SEED=s repeats those of a seed'
	@echo 'make loom     the lock-free code in every order that its atomics allow'
	@echo 'make fuzz SECONDS=n  what reads bytes from peers against a fuzzer, n seconds for each of five decoders'
	@echo 'make corpus   writes the inputs anew that fuzzing begins with: after a message has changed'
	@echo 'make check    format, lints, house rules, documentation'
	@echo 'make build    the release build; the command is target/release/mobula'
	@echo 'make sim SEEDS=n  so many simulated clusters under random faults, and shapes of work over 10,000 simulated ranks'
	@echo 'make bench    what it costs, beside rayon, plain MPI and Ray: quickly, to see that all works; JSON=FILE keeps the results'
	@echo 'make bench-full  the same with the samples that figures take (half an hour); SUITES="rpc uts" takes some of it'
	@echo 'make setup    only installs what is missing (and says so first)'
	@echo 'make clean    removes what was built'

setup:
	@.ci/setup

setup-test:
	@.ci/setup with-mpich with-lab

setup-rdma:
	@.ci/setup with-rdma

build: setup
	cargo build --release --workspace

demo: setup
	cargo build --release -p mobula-cli
	target/release/mobula demo walkthrough
	$(MPIRUN) -n 2 target/release/mobula demo uts --tree T1

test: $(TESTS)
check: $(CHECKS)

# With every feature. Tests that start ranks do so with $MPIRUN.
test-default: setup-test
	cargo test --workspace

# What another MPI library, or none, can make a difference to.
RANK_TESTS := --lib --test cluster --test launch --test bad_input

# What runs on the hosts of the lab is tried once, with every feature, over MPI and over none.
NO_LAB := --skip hosts:: --skip outages:: --skip networks:: --skip slurm::

# The same library against the other MPI, in a folder of its own: mpi-sys does not notice that MPICC changed.
test-mpich: setup-test
	@if command -v mpicc.mpich >/dev/null; then \
	    set -ex; export MPICC=mpicc.mpich MPIRUN=mpirun.mpich CARGO_TARGET_DIR=target/mpich; \
	    cargo build -p mobula --examples; cargo test -p mobula $(RANK_TESTS) -- $(NO_LAB); \
	else echo 'no mpicc.mpich here: the tests against MPICH are left out'; fi

# Open MPI 5 and MPICH 5, which Debian does not have. Not part of `make test`: it builds everything twice more and needs
# PyPI. It runs nightly, and before a change to src/transport/mpi or src/boot/mpi is merged.
test-mpis: setup-test
	@.ci/mpi-libraries

# Without any C library, which the finished program must show.
test-embedded: setup-test
	CARGO_TARGET_DIR=target/embedded cargo build -p mobula --no-default-features --examples
	CARGO_TARGET_DIR=target/embedded cargo test -p mobula --no-default-features $(RANK_TESTS) -- $(NO_LAB)
	CARGO_TARGET_DIR=target/embedded cargo build -p mobula-cli --no-default-features
	@if ldd target/embedded/debug/mobula | grep -E 'hwloc|mpi|ibverbs|cuda'; then \
	    echo 'built without features, yet linked with the above' >&2; exit 1; fi
	target/embedded/debug/mobula demo sqrt-sum

# More rounds of what `make test` does twenty-one times.
chaos: setup
	cargo build -p mobula --examples
	CHAOS_ROUNDS=$(or $(ROUNDS),100) $(if $(SEED),CHAOS_SEED=$(SEED)) cargo test -p mobula --test chaos -- --nocapture

# Over RDMA, in a machine that QEMU interprets.
test-rdma: setup-rdma
	tests/rdma/run

# The code itself on loom's atomics, in a folder of its own: every crate is built for it.
loom: setup
	RUSTFLAGS='--cfg loom' CARGO_TARGET_DIR=target/loom \
	    cargo test -p mobula --lib --no-default-features --profile loom loom::

# A smoke test unless told otherwise. It needs nothing but Rust and a C++ compiler; the corpus alone is also read by a test
# of the library.
SECONDS := 4
fuzz: setup
	tests/fuzz/run $(SECONDS)

corpus:
	SEEDS=tests/fuzz/corpus cargo test -p mobula --lib -- --ignored decoders::corpus::write_the_seeds

fmt:
	cargo fmt --all --check

lint: setup
	cargo clippy --workspace --all-targets -- -D warnings
	CARGO_TARGET_DIR=target/embedded cargo clippy --workspace --all-targets --no-default-features -- -D warnings

tidy: setup
	cargo test --test tidy

doc: setup
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# Results are appended to JSON, and a page and a table are made of them beside it, also where a case failed.
SUITES ?= all
bench: setup
	cargo build --release -p mobula-bench
	target/release/mobula-bench run $(SUITES) --quick $(if $(JSON),--json $(JSON); code=$$?; $(report); exit $$code)

bench-full: PLOTS = --plots $(dir $(JSON))plots
bench-full: JSON ?= bench/results/$(shell git describe --always --dirty --abbrev=12).json
bench-full: setup
	cargo build --release -p mobula-bench
	mkdir -p $(dir $(JSON))
	target/release/mobula-bench run $(SUITES) --json $(JSON); code=$$?; $(report); exit $$code

report = target/release/mobula-bench report $(JSON) $(PLOTS)

SEEDS ?= 20000
sim:
	cargo build --release -p mobula-bench
	target/release/mobula-bench sim --seeds $(SEEDS)
	target/release/mobula-bench sim

clean:
	cargo clean

# For .ci/run.
steps:
	@echo $(CHECKS) $(TESTS)
