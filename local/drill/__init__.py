"""A drill of the worst day: everything of the app's is lost in the middle of jobs, and comes back.

It runs the operators' own commands (`ops/backup.sh`, `python -m ops restore`, `… rebuild`) against
the app on its host, a real PostgreSQL and the Azure DevOps stand-in. `story` plays it, `stage` is
where it is played, `checks` looks at the end, `report` writes it down. Started by `command`.
"""
