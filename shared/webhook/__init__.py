"""The one door in: bytes of a delivery become a verified, typed event, in pure functions.

Entry points: `verify` (who sent it), `event` (which comment it is about), `command` (what the
comment asks). Nothing of a payload is trusted beyond "look at this
comment": ids are taken, URLs never.
"""
