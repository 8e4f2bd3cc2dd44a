"""What looks like a credential is taken out whole, however it is cut or quoted."""

import pytest

from shared.domain.credentials import MASK, mask_credentials

BEGIN = "-----BEGIN RSA " + "PRIVATE KEY-----"
END = BEGIN.replace("BEGIN", "END")
LINES = ["MIIEpAIBAAKCAQEAx" + "k7+/" * 11, "q9Zr" * 16, "w1Lb" * 16, "Qf0="]
CUT = [BEGIN, *LINES[:2], LINES[2][:9]]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("\n".join([BEGIN, *LINES, END, "after"]), f"{MASK}\nafter", id="whole"),
        pytest.param("\n".join(["see", *CUT]), f"see\n{MASK}", id="cut-off"),
        pytest.param("\n> ".join(["> see", *CUT]), f"> see\n> {MASK}", id="quoted"),
        pytest.param("\n+".join(["+x", *CUT]), f"+x\n+{MASK}", id="in-a-diff"),
        pytest.param("\\n".join(CUT), MASK, id="escaped"),
        pytest.param("\r\n".join(CUT), MASK, id="carriage-returns"),
        pytest.param(
            "\n".join(
                [BEGIN, "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0F" * 2, "", *LINES[:2]]
            ),
            MASK,
            id="encrypted",
        ),
        pytest.param("\n".join([*CUT[:3], "and so on."]), f"{MASK}\nand so on.", id="then-words"),
        pytest.param("\n".join([*CUT, "[cut]"]), f"{MASK}\n[cut]", id="then-a-note"),
        pytest.param(f'{{"key": "{BEGIN}", "b": 1}}', f'{{"key": "{MASK}", "b": 1}}', id="json"),
        pytest.param(f"{BEGIN} is how a key begins", f"{MASK} is how a key begins", id="header"),
    ],
)
def test_a_private_key_goes_with_its_body(text: str, left: str) -> None:
    assert mask_credentials(text) == left
