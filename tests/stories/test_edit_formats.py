"""Each form in which edits may be written, from the comment to the bytes of the drafts."""

import pytest

from local.azure_devops.shop import MAIN_FILES
from local.model.script import PlainConversation, ScriptedReply
from local.model.server import ModelStandIn
from shared.settings.models import EDIT_FORMATS
from tests.stories.conftest import StartAgent
from tests.stories.minds import Mind, create, replace, submit
from tests.stories.test_models import ask, choose_settings

SITE = MAIN_FILES["css/site.css"]
WINDOWS = MAIN_FILES["docs/windows.txt"]
RED = SITE.replace(b"#1a6fb5", b"#b51a1a")
FIRST = WINDOWS.decode().splitlines()[0]
ADVICE = "The accent is red, and a note says so."

EDIT_IN = {
    "search_replace": f"""{ADVICE}

css/site.css
<<<<<<< SEARCH
  --accent: #1a6fb5;
=======
  --accent: #b51a1a;
>>>>>>> REPLACE

docs/windows.txt
<<<<<<< SEARCH
{FIRST}
=======
{FIRST} It is red.
>>>>>>> REPLACE

docs/colours.md
<<<<<<< SEARCH
=======
# Colours
>>>>>>> REPLACE
""",
    "unified_diff": f"""{ADVICE}

```diff
--- a/css/site.css
+++ b/css/site.css
@@ -2,5 +2,5 @@
   --ink: #1f2328;
   --paper: #ffffff;
-  --accent: #1a6fb5;
+  --accent: #b51a1a;
   --accent-dark: #155a94;
 }}
--- a/docs/windows.txt
+++ b/docs/windows.txt
@@ -1 +1 @@
-{FIRST}
+{FIRST} It is red.
--- /dev/null
+++ b/docs/colours.md
@@ -0,0 +1 @@
+# Colours
```
""",
    "v4a": f"""{ADVICE}

*** Begin Patch
*** Update File: css/site.css
@@ :root {{
   --paper: #ffffff;
-  --accent: #1a6fb5;
+  --accent: #b51a1a;
*** Update File: docs/windows.txt
@@
-{FIRST}
+{FIRST} It is red.
*** Add File: docs/colours.md
+# Colours
*** End Patch
""",
    "whole_file": f"""{ADVICE}

css/site.css
```css
{RED.decode()}```

docs/windows.txt
```
{WINDOWS.decode().replace(FIRST, FIRST + " It is red.").replace(chr(13), "")}```

docs/colours.md
```markdown
# Colours
```
""",
}


def write(edit_format: str) -> ScriptedReply:
    if edit_format != "structured":
        return ScriptedReply(text=EDIT_IN[edit_format])
    return submit(
        replace("css/site.css", "#1a6fb5", "#b51a1a"),
        replace("docs/windows.txt", FIRST, f"{FIRST} It is red."),
        create("docs/colours.md", "# Colours\n"),
        summary=ADVICE,
    )


@pytest.mark.parametrize("edit_format", EDIT_FORMATS)
def test_what_is_written_in_each_form_is_pushed_to_the_byte(
    start_agent: StartAgent, model: ModelStandIn, edit_format: str
) -> None:
    def draft(said: PlainConversation, _: int) -> ScriptedReply:
        assert ("submit_edits" in said.tools) == (edit_format == "structured")
        return write(edit_format)

    model.brain = Mind(draft)
    agent = start_agent(**choose_settings(model, CODE_AGENT_EDIT_FORMAT=edit_format))
    agent.subscribe()
    ended = ask(agent, "/edit /1 paint the buttons red and note it in docs/colours.md")
    assert (ended.job["status"], ended.variants[0]["repair_rounds"]) == ("success", 0)
    assert ended.read("css/site.css") == RED
    end = b"\r\n"
    assert WINDOWS.startswith(FIRST.encode() + end)
    assert ended.read("docs/windows.txt") == WINDOWS.replace(end, b" It is red." + end, 1)
    assert ended.read("docs/colours.md") == b"# Colours\n"
    assert ended.list_changes() == ["css/site.css", "docs/colours.md", "docs/windows.txt"]
    assert ADVICE in ended.final
