"""The steps of a job: the body of every activity, with its dependencies as arguments."""
