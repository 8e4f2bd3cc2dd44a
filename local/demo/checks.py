"""What must be true at the end of the main job, seen from outside: REST, git, the thread."""

from local.demo.story import Story


def find_faults(story: Story) -> list[str]:
    """List what is missing; empty when everything is there."""
    made = [row for row in story.job["variants"] if row["status"] == "success"]
    folded = [row for row in story.job["variants"] if row["status"] == "duplicate"]
    faults: list[str] = []
    if len(made) + len(folded) != len(story.job["variants"]) or not made:
        faults.append(f"{len(made)} of {len(story.job['variants'])} variants succeeded")
    if sorted(story.branches) != sorted(row["branch"] for row in made):
        faults.append(f"branches: {len(story.branches)} instead of {len(made)}")
    drafts = {int(draft["pullRequestId"]) for draft in story.drafts}
    if drafts != {row["pr_id"] for row in made}:
        faults.append(f"draft pull requests: {len(drafts)} instead of {len(made)}")
    faults.extend(
        f"variant {row['k']} changes nothing" for row in made if not story.diffs.get(row["k"])
    )
    return faults + _find_faults_in_thread(story)


def _find_faults_in_thread(story: Story) -> list[str]:
    faults: list[str] = []
    kinds = [comment["content"].partition("kind=")[2].split(" ")[0] for comment in story.comments]
    if kinds.count("status") != 1 or kinds.count("final") != 1 or len(kinds) != 2:
        faults.append(f"one status comment and one final reply; there are {kinds}")
    edited = [
        comment
        for comment in story.comments
        if "kind=status" in comment["content"]
        and comment["lastContentUpdatedDate"] > comment["publishedDate"]
    ]
    if not edited:
        faults.append("the status comment was not edited in place")
    if not story.statuses or story.statuses[-1]["state"] != "succeeded":
        faults.append("a pull request status that says succeeded")
    if story.thread["status"] != "closed":
        faults.append(f"a closed thread; it is {story.thread['status']}")
    return faults
