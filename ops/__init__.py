"""The operators' commands, against a live subscription or the stand-ins: `python -m ops <command>`.

They use the app's settings (the same variables) and the operator's own identity, never the app's.
They print no secret, take none on the command line, and are safe to interrupt and to repeat.
"""
