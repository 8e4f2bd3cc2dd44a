"""Which files of a repository nobody writes by hand there: vendored and generated ones."""

from typing import Final

FOREIGN_GLOBS: Final = (
    "node_modules/",
    "bower_components/",
    "vendor/",
    "third_party/",
    "dist/",
    "build/",
    ".git/",
    "__pycache__/",
    "*.min.*",
    "*.map",
    "*.lock",
    "*.svg",
    "*.Designer.cs",
    "*.g.cs",
    "*_pb2.py",
)
"""Patterns as in .gitignore; a name without a slash holds in every folder."""
