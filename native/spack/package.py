# For Spack 1.0 and newer: docs/guide/c.md says how it is added.
#
# SPDX-License-Identifier: (Apache-2.0 OR MIT)

from spack_repo.builtin.build_systems.cargo import CargoPackage

from spack.package import *


class Mobula(CargoPackage):
    """Tasks, actors and shared immutable arrays inside MPI and Slurm jobs, for
    programs in C, C++ and Fortran. One library serves programs of every MPI: it
    finds the MPI that a program or its launcher has loaded, and links none."""

    homepage = "https://github.com/mobula/mobula"
    git = "https://github.com/mobula/mobula.git"

    license("Apache-2.0 OR MIT")

    version("main", branch="main")

    variant("rdma", default=True, description="Support RDMA devices; libibverbs is opened at run time")

    depends_on("c", type="build")
    depends_on("cxx", type="build", when="+rdma")
    depends_on("rust@1.89:", type="build")
    # The bindings of libibverbs are written by bindgen from headers that cmake configures.
    depends_on("cmake", type="build", when="+rdma")
    depends_on("llvm+clang", type="build", when="+rdma")

    conflicts("platform=darwin", msg="mobula runs on Linux only")
    conflicts("platform=windows", msg="mobula runs on Linux only")

    def setup_build_environment(self, env):
        if self.spec.satisfies("+rdma"):
            env.set("LIBCLANG_PATH", self.spec["llvm"].prefix.lib)

    def build(self, spec, prefix):
        """As `make build`, without what only this repository uses."""
        features = ["mpi", "cuda"]
        if spec.satisfies("+rdma"):
            features.append("verbs")
        cargo = which("cargo", required=True)
        with working_dir(self.stage.source_path):
            cargo("build", "--locked", f"-j{make_jobs}", "--profile", "installed", "-p", "mobula-capi",
                  "-p", "mobula-cli", "--no-default-features", "--features", ",".join(features))

    def install(self, spec, prefix):
        """As `make install`."""
        bash = which("bash", required=True)
        with working_dir(self.stage.source_path):
            bash("native/install", extra_env={"PREFIX": prefix, "DESTDIR": "", "BUILT": "target/installed"})

    def check(self):
        """Its tests need root, launchers and cores of their own: they run in its repository."""
