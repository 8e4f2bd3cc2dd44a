"""What the app is made of: things with a name in the world and decisions of their own.

Layers, checked by import-linter (pyproject.toml): `composition` wires; `jobs` holds the body of
every activity; `ado`, `llm`, `store`, `secrets` and `telemetry` talk to the world; `comments` words
what people read; `webhook`, `patching`, `context` and `policy` decide without I/O; `domain` is what
all of them mean.
"""
