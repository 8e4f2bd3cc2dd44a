"""Azure DevOps over REST 7.1, as the agent's own identity. Never sleeps, never retries an effect.

`session` makes the calls and names what went wrong (`errors`); one module for each thing the agent
touches: `pull_requests`, `threads`, `statuses`, `pushes`, `snapshots`, `identities`. The service's
JSON stays in `wire`.
"""
