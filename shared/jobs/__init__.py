"""The steps of a job: the body of every activity, with its dependencies in a `World`.

`effects.once` makes each effect find-or-create, `rows` reads and settles the records, `views` shows
them to people. A body raises `CodeAgentError` for what it expects and is safe to repeat.
"""
