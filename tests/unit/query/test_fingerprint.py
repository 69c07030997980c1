"""Which requests are the same one."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.parameters import parameters
from watchword_protocol.codec import decode_query
from watchword_protocol.messages import Query, Statement
from watchword_server.query.fingerprint import fingerprint

DIFFERENT = [
    Query(sql="SELECT 1"),
    Query(sql="SELECT 1 "),
    Query(sql="select 1"),
    Query(sql="SELECT 1", as_user="ada"),
    Query(sql="SELECT 1", as_user="Ada"),
    Query(sql="SELECT 1", as_user=""),
    Query(sql="SELECT $1", params=parameters(1)),
    Query(sql="SELECT $1", params=parameters(1.0)),
    Query(sql="SELECT $1", params=parameters("1")),
    Query(sql="SELECT $1", params=parameters(None)),
    Query(sql="SELECT $1", params=parameters([1])),
    Query(sql="SELECT $1", params=parameters(1, 1)),
    Query(sql="SELECT $1", params=parameters("1, 1")),
    Query(sql='SELECT $1", ["', params=parameters(1)),
    Query(statements=[Statement("SELECT 1"), Statement("SELECT 1")]),
    Query(statements=[Statement("SELECT $1", parameters(1)), Statement("SELECT 1")]),
    Query(statements=[Statement("SELECT $1"), Statement("SELECT 1", parameters(1))]),
]


def test_requests_that_differ_have_different_fingerprints() -> None:
    for one, other in combinations(DIFFERENT, 2):
        assert fingerprint(one) != fingerprint(other), (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Query(sql="SELECT 1"), Query(sql="SELECT 1", id=7, timeout_ms=9, idempotency_key="k")),
        (Query(sql="SELECT 1"), Query(sql="SELECT 1", params=[])),
        (Query(sql="SELECT $1", params=parameters(1)), Query(statements=[Statement("SELECT $1", parameters(1))])),
    ],
)
def test_what_says_the_same_has_the_same(one: Query, other: Query) -> None:
    assert len(fingerprint(one)) == 32
    assert fingerprint(one) == fingerprint(other)


def test_parameters_count_as_they_are_written() -> None:
    one, other = (decode_query(b'{"sql": "SELECT $1", "params": [%s]}' % text) for text in (b"[1,2]", b"[1, 2]"))
    assert isinstance(one, Query)
    assert isinstance(other, Query)
    assert fingerprint(one) != fingerprint(other)


texts = st.text(alphabet='a",[]{}\\:$1', max_size=6)
statements = st.lists(
    st.builds(Statement, texts, st.lists(texts.map(lambda text: parameters(text)[0]), max_size=3)), min_size=1
)
queries = st.builds(Query, statements=statements, as_user=st.none() | texts)


@given(queries, queries)
def test_no_two_requests_are_taken_for_one(one: Query, other: Query) -> None:
    def meant(query: Query) -> object:
        return query.as_user, [(each.sql, list(map(bytes, each.params or ()))) for each in query.statements or ()]

    assert (fingerprint(one) == fingerprint(other)) == (meant(one) == meant(other))
