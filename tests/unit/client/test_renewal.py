"""When a token is renewed."""

import pytest

from watchword.renewal import delay_renewal


@pytest.mark.parametrize(
    ("lifetime_s", "own_s", "announced_s"),
    [
        (900, 870, 450),  # half a minute before the end
        (60, 30, 30),
        (40, 20, 20),  # never before half of the life: a short token is not fetched in a circle
        (5, 2.5, 2.5),
        (1, 1, 1),  # never at once
        (-3, 1, 1),
    ],
)
def test_a_token_is_renewed_late_in_its_life_and_never_at_once(
    lifetime_s: float, own_s: float, announced_s: float
) -> None:
    assert delay_renewal(lifetime_s) == own_s
    assert delay_renewal(lifetime_s, is_announced=True) == announced_s
