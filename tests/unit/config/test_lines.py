"""The line of a key in a file."""

import pytest

from watchword_server.config.lines import line_of

TEXT = """\
# a comment
[server]
port = 1  # [auth]
"host" = "a"

[ limits . role."service" ]
rows = 1

[auth]
leeway_s=5
issuers = [ { issuer = "a" } ]
[[other.tables]]
limits.sql_bytes = 4
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("server", "port"), 3),
        (("server", "host"), 4),
        (("server",), 2),
        (("server", "missing"), 2),
        (("limits", "role", "service", "rows"), 7),
        (("auth", "leeway_s"), 10),
        (("auth", "issuers", "issuer"), 11),
        (("other", "tables", "limits", "sql_bytes"), 13),
        (("nowhere",), 1),
    ],
)
def test_key_is_found_on_its_line_or_the_nearest_around_it(key: tuple[str, ...], line: int) -> None:
    assert line_of(TEXT, key) == line


def test_dotted_keys_without_a_table_are_found() -> None:
    assert line_of("\nlimits.rows = 3\n", ("limits", "rows")) == 2
