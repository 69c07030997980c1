"""What an answer says, and that nothing of it stays."""

import json
import sys

from msgspec import Raw
from msgspec.structs import replace

from watchword_protocol.codec import decode_server
from watchword_protocol.messages import Column, QueryResult, StatementResult
from watchword_server.query.places import Places
from watchword_server.query.results import Result, Results, encode_body, encode_message, encode_results
from watchword_server.sql.plan import OutputColumn
from watchword_server.sql.types import SqlType

COLUMNS = (OutputColumn("id", SqlType.BIGINT, ("pk", "nn")), OutputColumn("body", SqlType.TEXT))
RESULTS = Results([Result(COLUMNS, b'[[7,"hi"]]', 1), Result(row_count=3)], "ada", 0.1234, Places().take("u_ada", 1))


def test_an_answer_is_the_message_of_the_protocol() -> None:
    schema = [Column("id", "BigInt", 0, ["pk", "nn"]), Column("body", "Text", 1)]
    results = [StatementResult(schema, [[7, "hi"]], 1, "ada"), StatementResult([], [], 3, "ada")]
    assert decode_server(encode_message(RESULTS, "q1")) == QueryResult(results, 0.123, id="q1")


def test_the_body_over_http_has_the_same_results_and_a_status() -> None:
    message, body = json.loads(encode_message(RESULTS, None)), json.loads(encode_body(RESULTS))
    del message["type"]
    assert body == message | {"status": "success"}


def test_results_that_are_kept_are_told_as_they_were_the_first_time() -> None:
    assert not isinstance(RESULTS.results, Raw)
    kept = replace(RESULTS, results=Raw(encode_results(RESULTS.results, "ada")))
    assert encode_message(kept, "q1") == encode_message(RESULTS, "q1")
    assert encode_body(kept) == encode_body(RESULTS)


def test_nothing_of_an_answer_is_kept() -> None:
    """Columns are of the client's choosing, and as many as it likes."""
    before = sys.getrefcount(COLUMNS[0])
    for times in (1, 700):
        encode_message(Results([Result(COLUMNS * times)], "ada", 0.1, RESULTS.place), None)
    after = sys.getrefcount(COLUMNS[0])
    assert after == before
