"""Looks at the world after a drill: is anything lost, is anything there twice?"""

from collections import Counter
from dataclasses import dataclass, field

from local.azure_devops import seed
from local.drill.stage import PULL_REQUEST, Stage


@dataclass
class Asked:
    """What people have written."""

    edits: dict[int, int] = field(default_factory=dict)
    """Threads that ask for an edit, and for how many variants."""
    questions: list[int] = field(default_factory=list)
    """Threads that ask for help."""


def check_world(stage: Stage, asked: Asked) -> list[str]:
    """Check everything that people can see, and the records; answers what is wrong."""
    faults = []
    rows = stage.list_jobs()
    branches = Counter(name.rpartition("/")[0] for name in stage.jamal.list_branches("agents/"))
    drafts = Counter(
        draft["sourceRefName"].removeprefix("refs/heads/").rpartition("/")[0]
        for draft in stage.azure_devops.organisation.records.all("pull_request")
        if draft["targetRefName"] == f"refs/heads/{seed.TOPIC_BRANCH}"
    )
    for thread, variants in asked.edits.items():
        name = f"agents/edit-{PULL_REQUEST}-{thread}-1"
        if rows.get(thread) != "success":
            faults.append(f"thread {thread}: its job is {rows.get(thread, 'lost')}")
        for what, counted in (("branches", branches[name]), ("drafts", drafts[name])):
            if counted != variants:
                faults.append(f"thread {thread}: {counted} {what} instead of {variants}")
        said = _count_kinds(stage, thread)
        if said != {"status": 1, "final": 1}:
            faults.append(f"thread {thread}: said {dict(said)}")
    for thread in asked.questions:
        said = _count_kinds(stage, thread)
        if said != {"answer": 1}:
            faults.append(f"thread {thread}: answered {dict(said)}")
    if strangers := set(rows) - set(asked.edits):
        faults.append(f"jobs that nobody asked for: threads {sorted(strangers)}")
    return faults


def _count_kinds(stage: Stage, thread: int) -> Counter[str]:
    """Count the agent's comments in a thread by what they are for."""
    comments = stage.jamal.read_thread(PULL_REQUEST, thread)["comments"]
    return Counter(
        one["content"].partition("kind=")[2].partition(" ")[0]
        for one in comments
        if one["author"]["id"] == seed.CODE_AGENT.id
    )
