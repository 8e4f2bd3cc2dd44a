import json
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.context.index import build_index
from shared.context.pack import build_context, estimate_tokens
from shared.context.ranking import rank_files
from shared.context.request import ContextRequest
from shared.context.words import split_words

SHOP = {
    "css/site.css": b".button { color: blue }\n.button:hover { color: navy }\n",
    "index.html": b'<link href="css/site.css"><button class="button">Buy</button>\n',
    "src/pricing.py": b"def total_price(items):\n    return sum(item.price for item in items)\n",
    "tests/test_pricing.py": b"from src.pricing import total_price\n",
    "README.md": b"# Shop\n\nSells things.\n",
    "logo.png": b"\x89PNG\0\0",
    "node_modules/button/index.js": b"button button button\n",
    "js/app.min.js": b"button();" * 3000,
}
ASK = ContextRequest("make all buttons red", "Checkout", "", ())


def best(request: ContextRequest, files: dict[str, bytes] = SHOP) -> list[str]:
    return [file.path for file in rank_files(build_index(files), request)]


def test_words_are_cut_at_humps_and_underscores_and_lose_their_endings() -> None:
    assert split_words("makeAllButtons_red XMLParser categories closing closed") == [
        *("button", "red", "xml", "parser", "category", "clos", "clos")
    ]


def test_the_file_that_the_words_are_about_comes_first() -> None:
    assert best(ASK)[0] == "css/site.css"
    assert best(replace(ASK, text="round the total price"))[0] == "src/pricing.py"
    assert best(replace(ASK, text="say in the readme what is sold"))[0] == "README.md"


def test_vendored_generated_and_binary_files_are_never_ranked() -> None:
    assert not {"node_modules/button/index.js", "js/app.min.js", "logo.png"} & set(best(ASK))


@pytest.mark.parametrize(
    ("request_", "first"),
    [
        (replace(ASK, thread_path="README.md"), "README.md"),
        (replace(ASK, text="make buttons red in README.md"), "README.md"),
        (replace(ASK, text="change it", changed_paths=("index.html",)), "index.html"),
    ],
    ids=["thread", "named", "changed"],
)
def test_what_is_more_than_a_coincidence_outweighs_words(
    request_: ContextRequest, first: str
) -> None:
    assert best(request_)[0] == first


def test_what_a_request_wants_done_does_not_say_where() -> None:
    files = {"src/remove.py": b"def remove(): remove()\n", "src/cart.py": b"# the discount\n"}
    assert best(replace(ASK, text="Remove the discount"), files)[0] == "src/cart.py"
    assert best(replace(ASK, text="Fix remove", title=""), files)[0] == "src/remove.py"


@pytest.mark.parametrize(
    "noise",
    [
        *("Closes #12", "Resolves AB#77", "Related work items: #12 close"),
        *("Merged PR 12: more", "See https://close.test/close", "Closed-by: Close <close@x>"),
    ],
)
def test_numbers_of_issues_addresses_and_trailers_say_nothing(noise: str) -> None:
    files = {"src/close.py": b"def close(): close()\n", "src/cart.py": b"# the discount\n"}
    ranked = best(replace(ASK, text=f"Round the discount\n\n{noise}", title=""), files)
    assert ranked == ["src/cart.py"]


def test_a_commit_says_nothing_and_a_name_like_one_does() -> None:
    files = {"src/e4.py": b"e4 = 86\n", "src/keys.py": b"def ed25519(): ...\n"}
    assert best(replace(ASK, text="Revert cb86e4f", title=""), files) == []
    assert best(replace(ASK, text="Derive Ed25519 keys", title=""), files)[0] == "src/keys.py"


def test_a_name_of_the_request_is_found_as_a_part_of_a_path() -> None:
    files = {
        "ssn/el_GR/provider.py": b"def vat_id():  # a valid VAT id, by the vat digits\n",
        "ssn/it_IT/provider.py": b"def vat_id():\n",
        "ssn/sv_SE/provider.py": b"def vat_id():  # a valid VAT id\n",
    }
    assert best(replace(ASK, text="fix the valid it_IT VAT ids"), files)[0].startswith("ssn/it_IT")


def test_every_name_between_backticks_is_a_name_of_the_code() -> None:
    files = {
        "users/get.py": b"# search search search: remove the parentheses\n",
        "search/get.py": b"# remove the parentheses\n",
        "groups/get.py": b"# all groups\n",
        "roles/get.py": b"# all roles\n",
    }
    assert best(replace(ASK, text="`@search`: remove parentheses"), files)[0] == "search/get.py"


def test_a_neighbour_of_a_good_file_is_ranked_too() -> None:
    ranked = rank_files(build_index(SHOP), replace(ASK, text="round the sum of item prices"))
    test = next(file for file in ranked if file.path == "tests/test_pricing.py")
    assert "neighbour" in test.why


def test_a_pack_shows_numbered_lines_and_all_paths() -> None:
    text = build_context(SHOP, build_index(SHOP), ASK, budget_tokens=2000).render()
    assert "    1 .button { color: blue }\n" in text
    assert "README.md\n" in text
    assert "PNG" not in text


def test_a_long_file_is_shown_in_excerpts_around_what_counts() -> None:
    lines = [f"line {at}" for at in range(2000)]
    lines[1000] = "the button"
    files = {"long.txt": "\n".join(lines).encode()}
    text = build_context(files, build_index(files), ASK, budget_tokens=400).render()
    assert " 1001 the button\n" in text
    assert "line 3\n" not in text


def test_the_same_question_gets_the_same_pack() -> None:
    shuffled = dict(reversed(SHOP.items()))
    packs = {build_context(f, build_index(f), ASK, budget_tokens=300) for f in (SHOP, shuffled)}
    assert len({pack.render() for pack in packs}) == 1


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text("abc/é.", min_size=1, max_size=12),
        st.text(max_size=400).map(str.encode),
        max_size=8,
    ),
    st.integers(60, 600),
)
def test_no_pack_exceeds_its_budget(files: dict[str, bytes], budget: int) -> None:
    pack = build_context(files, build_index(files), ASK, budget_tokens=budget)
    assert estimate_tokens(pack.render()) <= budget


def test_the_dry_run_answers_a_line_for_a_line() -> None:
    asked = {"text": "red buttons", "changed_lines": {"a.css": [[1, 1]]}}
    order = {"files": {"a.css": ".button {}"}, "request": asked}
    done = subprocess.run(
        [sys.executable, "-m", "shared.context"],
        input=json.dumps(order) + "\nnonsense\n",
        capture_output=True,
        text=True,
        check=True,
    )
    good, bad = (json.loads(line) for line in done.stdout.splitlines())
    assert good["ranked"][0]["path"] == "a.css"
    assert "(changed by the pull request: 1)\n    1 .button {}" in good["text"]
    assert "not a request" in bad["error"]
