"""One file per activity, named for its verb.

Each decodes its input, calls a body in `shared.jobs` and encodes the result as an envelope.
"""
