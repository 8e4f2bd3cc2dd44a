"""What the words of this project mean: values, states, errors, names. Imports nothing of ours.

Entry points: `commands` (what a comment asks), `comment_ref` (which comment, hence which job),
`states` (one table each for jobs and variants), `errors` (code, facts, verdict), `names` (durable
contracts), `change` (what a patch does to files), `slots` (who may run now), `clock`.
"""
