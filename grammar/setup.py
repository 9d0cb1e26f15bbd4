"""The extension module; what else there is to say is in pyproject.toml."""

from setuptools import Extension, setup

GRAMMARS = ["datafile/connection", "datafile/datasource", "datafile/pipe", "sql"]

setup(
    ext_modules=[
        Extension(
            name="tree_sitter_headwater._binding",
            sources=["bindings/python/tree_sitter_headwater/binding.c"]
            + [f"{folder}/src/{part}.c" for folder in GRAMMARS for part in ("parser", "scanner")],
            include_dirs=["sql/src"],
            extra_compile_args=["-std=c11"],
        )
    ]
)
