"""Jobs, variants, effects, audit and artifacts: Postgres in production, SQLite by default.

One module per table: every query has a name and one home. Functions take the caller's connection,
so that several become one transaction; `database` opens it. Nothing connects at import.
"""
