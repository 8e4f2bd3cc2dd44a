import pytest

from shared.comments.amounts import NumberSigns, write_count, write_usd

GERMAN = NumberSigns(thousands=".", decimal=",", money="{amount} $")


@pytest.mark.parametrize(
    ("micro_usd", "english", "german"),
    [
        (0, "$0", "0 $"),
        (1, "<$0.001", "<0,001 $"),
        (999, "<$0.001", "<0,001 $"),
        (1_000, "$0.001", "0,001 $"),
        (42_400, "$0.042", "0,042 $"),
        (1_300_000, "$1.30", "1,30 $"),
        (1_234_567_890, "$1,234.57", "1.234,57 $"),
    ],
)
def test_a_sum_of_money_is_never_written_as_nothing(
    micro_usd: int, english: str, german: str
) -> None:
    assert write_usd(micro_usd) == english
    assert write_usd(micro_usd, GERMAN) == german


def test_thousands_stand_apart() -> None:
    assert write_count(12_345) == "12,345"
    assert write_count(1_234_567, GERMAN) == "1.234.567"
