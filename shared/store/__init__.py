"""Jobs, variants, effects, audit and artifacts in a database: Postgres in production, SQLite by default."""
