"""Grammars for Tinybird-format data projects and their SQL, for `tree_sitter.Language`."""

from ._binding import connection, datasource, pipe, sql

__all__ = ["connection", "datasource", "pipe", "sql"]
