"""Carries out plain instructions by hand, without a model: what the stub provider can do.

`instructions` reads a request, `carry_out` does it in a `workspace` (a snapshot with changes on
top), with `restyle` for looks and `remark` for notes. Deterministic; no I/O beyond the snapshot it
is given.
"""
