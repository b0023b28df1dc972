"""Queries that ask too much: what a stranger's query may cost the one who holds credentials, or the one who reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ssi import dcql
from ssi.dcql import query as queries
from ssi.dcql import reading
from ssi.errors import Malformed
from ssi.model import Opened, Outcome
from tests.ssi import drafts
from tests.support import NOW

NESTED = [[[["x"] * 4] * 4] * 4] * 4
CLAIMS = {**drafts.PERSON, "nested": NESTED, **{f"c{number}": number for number in range(30)}}


def opened(claims: dict[str, Any] | None = None) -> Opened:
    said = CLAIMS if claims is None else claims
    draft = replace(drafts.SD_JWT.draft, claims=said, disclosable=tuple((name,) for name in said))
    sample = replace(drafts.SD_JWT, draft=draft)
    return sample.format.check(sample.issued(), keys=sample.keys, now=NOW)


NOBODY = {"id": "n", "path": ["nobody"]}
HOLDINGS = [dcql.Holding(f"h{number}", "dc+sd-jwt", opened()) for number in range(20)]


def query(*credentials: dict[str, Any], **members: Any) -> dict[str, Any]:
    plain = {"format": "dc+sd-jwt", "meta": {"vct_values": ["urn:example:person:1"]}}
    return {"credentials": [{"id": f"q{n}", **plain, **each} for n, each in enumerate(credentials)], **members}


def claims(count: int, *path: Any) -> list[dict[str, Any]]:
    return [{"id": f"i{number}", "path": list(path)} for number in range(count)]


def test_a_query_of_too_many_values_is_not_read() -> None:
    names = [f"i{number}" for number in range(256)]
    with pytest.raises(Malformed, match=r"dcql\.size"):
        dcql.parse(query({"claims": claims(256, "c1"), "claim_sets": [names] * 40}))


def test_a_large_query_is_read() -> None:
    sets = [[f"i{number}" for number in range(256)]] * 20
    read = dcql.parse(query({"claims": claims(256, "c1"), "claim_sets": sets}))
    assert len(read.credentials[0].claim_sets) == 20


@pytest.mark.parametrize(
    "asked",
    [
        query(*({"claims": claims(200, "nested", None, None, None, None)} for _ in range(4))),
        query(*({"claims": [{"path": ["nested", None, None, None, number % 4]}]} for number in range(200))),
        query({"claims": [*claims(255, "c1"), NOBODY], "claim_sets": [[*(f"i{n}" for n in range(255)), "n"]] * 25}),
        query(*({} for _ in range(256))),
    ],
    ids=["wildcards", "ways", "sets", "credentials"],
)
def test_a_query_that_takes_too_long_over_all_that_is_held_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match=r"dcql\.work"):
        dcql.match(dcql.parse(asked), HOLDINGS)


def test_what_people_ask_takes_little_of_what_is_allowed() -> None:
    asked = dcql.parse(query(*({"claims": [{"path": [f"c{number}"]} for number in range(15)]} for _ in range(3))))
    meter = reading.Meter()
    for held in HOLDINGS:
        one = reading.Reading(held.opened, meter)
        assert all(one.answers(claim) for wanted in asked.credentials for claim in wanted.claims)
    assert meter.left > reading.MAX_WORK // 2
    assert dcql.match(asked, HOLDINGS).answerable


def test_a_presentation_in_which_it_takes_too_long_to_look_answers_nothing() -> None:
    asked = dcql.parse(query({"claims": [{"path": ["many", None], "values": ["y"] * 200}]}))
    found = dcql.satisfied(asked, {"q0": [opened({"many": ["x"] * 5000})]})
    assert [(finding.outcome, finding.code) for finding in found] == [(Outcome.FAIL, "dcql.claims")]


def test_a_path_is_looked_up_once_for_all_who_ask() -> None:
    meter = reading.Meter()
    one = reading.Reading(opened(), meter)
    asked = dcql.parse(query({"claims": claims(2, "nested", None, None, None, None)})).credentials[0].claims
    assert len(one.answers(asked[0])) == 256
    first = reading.MAX_WORK - meter.left
    assert one.answers(asked[1]) == one.answers(asked[0])
    assert reading.MAX_WORK - meter.left < 2 * first


def test_the_limits_are_those_that_were_measured() -> None:
    assert (queries.MAX_VALUES, reading.MAX_WORK) == (8192, 16_000)
