"""The wallet's two plans of presenting: does ours answer what is right, and refuse what is wrong, saying why?

As the suite's mock verifier does: each test bends one thing of a right request. The wallet is Ada's, with her card as
SD-JWT VC or as mdoc; in the HAIP plan the wallet keeps to that profile, and answers are encrypted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from ssi import oid4vp
from ssi.dids import key as did_key
from ssi.encoding import b64url, unb64url, write_json
from ssi.errors import SsiError
from ssi.fetch import Response
from ssi.jose import jws
from ssi.keys import SoftwareSigner
from tests.holder.test_holder_asks import KEY
from tests.holder.town import CLAIMS, SHOP
from tests.plans.asking import MDOC, SD_JWT, Meeting

BOTH = {name: CLAIMS[name] for name in ("given_name", "family_name")}
UNUSABLE = (
    {"kty": "AKP", "alg": "ML-KEM-0000", "kid": "quantum", "use": "enc", "pub": b64url(bytes(64))},
    {"kty": "made-up", "alg": "NONE-SUCH", "kid": "fancy", "use": "enc", "value": "x"},
)


@pytest.fixture(params=[SD_JWT, MDOC], ids=["sd_jwt_vc", "mdoc"])
def form(request: pytest.FixtureRequest) -> Any:
    return request.param


Meetings = Callable[[Any, bool], Meeting]


@pytest.fixture(scope="module")
def meetings(minted: Path, tmp_path_factory: pytest.TempPathFactory) -> Meetings:
    """A wallet for each format and plan, made once; who asks it is somebody else in each test."""

    @cache
    def made(form: Any, haip: bool) -> Meeting:
        return Meeting.at(minted, tmp_path_factory.mktemp("meeting") / "town", form, haip=haip)

    return lambda form, haip: made(form, haip).again()


@pytest.fixture(params=[False, True], ids=["plain", "haip"])
def meeting(request: pytest.FixtureRequest, meetings: Meetings, form: Any) -> Meeting:
    return meetings(form, request.param)


@pytest.fixture
def plain(meetings: Meetings, form: Any) -> Meeting:
    return meetings(form, False)


def bent_signature(token: str) -> str:
    head, _, signature = token.rpartition(".")
    raw = bytearray(unb64url(signature))
    raw[7] ^= 1
    return f"{head}.{b64url(bytes(raw))}"


def serving(meeting: Meeting, token: str) -> None:
    """Another request object at the address of the right one."""
    right = meeting.asker

    def serve(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        if url != f"{SHOP}/request":
            return right(method, url, headers, body)
        return Response(200, url, {"content-type": oid4vp.REQUEST_MEDIA_TYPE}, token.encode())

    meeting.town.world[SHOP] = serve


def by_page(meeting: Meeting, **changes: Any) -> oid4vp.AuthorizationRequest:
    """The request as a page makes it, through the Digital Credentials API."""
    mode = oid4vp.DC_API_JWT if meeting.haip else oid4vp.DC_API
    meeting.change(response_mode=mode, response_uri=None, state=None, origin=SHOP, expected_origins=(SHOP,), **changes)
    return meeting.asker.request


def identities(meeting: Meeting) -> tuple[oid4vp.RequestSigner, oid4vp.RequestSigner]:
    """Two names of one asker: by a DID, and by the certificate that the wallet trusts."""
    key = SoftwareSigner.generate("ES256")
    did = did_key.from_public(key.public)
    named = replace(key, name=f"{did}#{did.removeprefix('did:key:')}")
    return oid4vp.RequestSigner(f"decentralized_identifier:{did}", named), meeting.asker.signer_of


def called(meeting: Meeting, *signers: oid4vp.RequestSigner) -> dict[str, Any]:
    request = replace(meeting.asker.request, client_id="")
    call = oid4vp.page_request(request, signers=signers, now=meeting.town.clock(), lifetime=timedelta(minutes=5))
    return dict(json.loads(json.dumps(call)))


def through_page(meeting: Meeting, call: dict[str, Any]) -> Any:
    done = meeting.agree(meeting.page(call))
    request = meeting.asker.request
    answer = oid4vp.read_page_response(done["answer"], response_mode=request.response_mode, keys=(KEY,))
    assert ("response" in done["answer"]) == meeting.haip
    return meeting.answered(answer, request)


# --- what must be answered --------------------------------------------------------------------------------------------


@pytest.mark.module("oid4vp-1final-wallet-happy-flow")
def test_a_right_request_is_answered(meeting: Meeting) -> None:
    meeting.change(state=None)
    meeting.share()
    assert meeting.answered() == {"person": BOTH}


@pytest.mark.module("oid4vp-1final-wallet-happy-flow")
def test_a_right_page_is_answered(meeting: Meeting) -> None:
    by_page(meeting)
    assert through_page(meeting, called(meeting, meeting.asker.signer_of)) == {"person": BOTH}


@pytest.mark.module("oid4vp-1final-wallet-alternate-happy-flow")
def test_a_right_request_with_all_that_must_not_matter_is_answered(meeting: Meeting) -> None:
    key = {name: value for name, value in KEY.public_jwk.items() if name != "use"}
    meeting.change(state="s" * 64, **({"encryption_keys": (key,)} if meeting.haip else {}))
    meeting.asker.nonce = "n" * 43
    meeting.asker.raw = {"iss": "https://somebody-else.test", "a-parameter-of-nobody": "4711"}
    meeting.asker.redirect_uri = f"{SHOP}/thanks?response_code=1"
    pairs = parse_qsl(urlsplit(meeting.asker.link).query)
    link = "openid4vp://?" + urlencode([*reversed(pairs), ("another-one", "0815")])
    done = meeting.share(link)
    assert done["redirect_uri"] == f"{SHOP}/thanks?response_code=1"
    assert meeting.answered() == {"person": BOTH}


@pytest.mark.module("oid4vp-1final-wallet-alternate-happy-flow")
@pytest.mark.parametrize("mode", [oid4vp.DIRECT_POST, oid4vp.DIRECT_POST_JWT])
def test_the_answers_address_may_stand_in_the_name_alone(plain: Meeting, mode: str) -> None:
    """§5.9.3 `redirect_uri`: a request that leaves `response_uri` out."""
    plain.change(response_mode=mode, encryption_keys=(KEY.public_jwk,) if mode == oid4vp.DIRECT_POST_JWT else ())
    plain.haip = mode == oid4vp.DIRECT_POST_JWT  # what to expect of the answer; the wallet keeps to no profile
    client_id = f"redirect_uri:{SHOP}/answer"
    plain.change(client_id=client_id)
    said = {name: one for name, one in plain.asker.request.parameters().items() if name != "response_uri"}
    flat = {name: one if isinstance(one, str) else write_json(one).decode() for name, one in said.items()}
    plain.share(f"openid4vp://?{urlencode(flat)}")
    assert plain.answered() == {"person": BOTH}


@pytest.mark.module("oid4vp-1final-wallet-alternate-happy-flow")
def test_an_unsigned_page_has_no_name_and_no_other_origins(plain: Meeting) -> None:
    """Appendix A.2: `client_id` and `expected_origins` of unsigned requests are ignored, whatever they say."""
    by_page(plain, client_id="")
    call = called(plain)
    call["data"] |= {"client_id": "made_up_prefix:x", "expected_origins": ["https://elsewhere.test"]}
    assert through_page(plain, call) == {"person": BOTH}


@pytest.mark.module("oid4vp-1final-wallet-request-uri-method-post")
def test_a_request_is_fetched_by_post(meeting: Meeting) -> None:
    meeting.asker.method = "post"
    meeting.asker.encrypts = True
    meeting.share()
    (form,) = meeting.asker.forms
    assert len(form["wallet_nonce"]) >= 22
    assert meeting.answered() == {"person": BOTH}


@pytest.mark.module("oid4vp-1final-wallet-ignores-unusable-encryption-key")
def test_keys_that_nobody_can_use_are_passed_over(meeting: Meeting) -> None:
    meeting.change(response_mode=oid4vp.DIRECT_POST_JWT, encryption_keys=(*UNUSABLE, KEY.public_jwk))
    meeting.haip = True  # the answer is encrypted in both plans
    meeting.share()
    assert meeting.answered() == {"person": BOTH}


@pytest.mark.module("oid4vp-1final-wallet-fewer-claims-than-available")
def test_no_more_is_shown_than_was_asked(meeting: Meeting) -> None:
    meeting.ask("given_name")
    meeting.share()
    assert meeting.answered() == {"person": {"given_name": "Eileen"}}


@pytest.mark.module("oid4vp-1final-wallet-optional-credential-set")
def test_a_card_that_may_be_missing_is_left_out(meeting: Meeting) -> None:
    sets = [{"options": [["person"]]}, {"options": [["other"]], "required": False}]
    cards = [meeting.card("person", *BOTH), meeting.other("other")]
    meeting.asker.query = {"credentials": cards, "credential_sets": sets}
    meeting.share()
    assert meeting.answered() == {"person": BOTH}


@pytest.mark.module("oid4vp-1final-wallet-no-claims-in-dcql-query")
def test_a_card_without_claims_is_shown_with_nothing_that_can_be_hidden(meeting: Meeting) -> None:
    meeting.asker.query = {"credentials": [meeting.card("person")]}
    if meeting.form is MDOC:  # all of an mdoc can be hidden, so what is shown has no elements at all
        meeting.share()
        (form,) = meeting.asker.received
        answer = oid4vp.read_response(form, response_mode=meeting.asker.request.response_mode, keys=(KEY,))
        assert answer.vp_token is not None
        assert b"Eileen" not in unb64url(answer.vp_token["person"][0])
        return
    meeting.share()
    assert set(meeting.answered()["person"]) & set(CLAIMS) == set()


@pytest.mark.module("oid4vp-1final-wallet-multisigned-one-invalid-signature")
def test_one_of_two_signatures_is_enough(meeting: Meeting) -> None:
    by_page(meeting)
    call = called(meeting, *identities(meeting))
    first = call["data"]["request"]["signatures"][0]
    first["signature"] = bent_signature(f".{first['signature']}").removeprefix(".")
    assert through_page(meeting, call) == {"person": BOTH}


# --- what must be refused ---------------------------------------------------------------------------------------------


def refused(meeting: Meeting, code: str, link: str | None = None) -> None:
    """Refused when it is opened, with a sentence, and nothing was sent to anybody."""
    status, said = meeting.open(link)
    assert (status // 100, said.get("error")) == (4, code), said
    assert said["error_description"].endswith(".")
    meeting.nothing_came()


@pytest.mark.module("oid4vp-1final-wallet-negative-test-response-uri-not-client-id")
def test_an_answer_goes_only_where_the_askers_name_says(plain: Meeting) -> None:
    plain.change(client_id=f"redirect_uri:{SHOP}/answer", response_uri="https://elsewhere.test/answer")
    said = plain.asker.request.parameters()
    flat = {name: one if isinstance(one, str) else write_json(one).decode() for name, one in said.items()}
    refused(plain, "oid4vp.response_uri", f"openid4vp://?{urlencode(flat)}")


@pytest.mark.module("oid4vp-1final-wallet-negative-test-response-uri-not-client-id")
def test_an_answer_goes_only_to_the_host_of_the_askers_certificate(plain: Meeting) -> None:
    identity = oid4vp.RequestSigner("x509_san_dns:shop.test", plain.asker.signer, tuple(plain.asker.chain))
    plain.asker.identity = identity
    plain.change(response_uri="https://elsewhere.test/answer")
    refused(plain, "oid4vp.response_uri")


@pytest.mark.module("oid4vp-1final-wallet-negative-test-invalid-request-object-signature")
def test_a_broken_signature_is_refused(meeting: Meeting) -> None:
    serving(meeting, bent_signature(meeting.asker._token({})))
    refused(meeting, "jose.signature")


@pytest.mark.module("oid4vp-1final-wallet-negative-test-invalid-request-object-signature")
def test_signatures_that_are_all_broken_are_refused(meeting: Meeting) -> None:
    by_page(meeting)
    call = called(meeting, *identities(meeting))
    for one in call["data"]["request"]["signatures"]:
        one["signature"] = bent_signature(f".{one['signature']}").removeprefix(".")
    with pytest.raises(SsiError) as problem:
        meeting.page(call)
    assert problem.value.code == "jose.signature"


@pytest.mark.module("oid4vp-1final-wallet-negative-test-mismatched-client-id")
def test_link_and_request_must_name_the_same_asker(meeting: Meeting) -> None:
    right = meeting.asker.client_id
    link = meeting.asker.link.replace(right.removeprefix("x509_hash:"), right.removeprefix("x509_hash:")[::-1])
    assert link != meeting.asker.link
    refused(meeting, "oid4vp.client_id_mismatch", link)


@pytest.mark.module("oid4vp-1final-wallet-negative-test-redirect-uri-with-direct-post")
def test_a_request_for_two_answers_is_refused_and_the_asker_may_be_told(meeting: Meeting) -> None:
    """§8.2: "the Wallet MUST return an invalid_request Authorization Response error": when Ada wants it told."""
    meeting.asker.raw = {"redirect_uri": f"{SHOP}/back"}
    refused(meeting, "oid4vp.redirect_uri")
    assert meeting.person.post("/open/tell", link=meeting.asker.link).json == {"told": True}
    assert [told["error"] for told in meeting.asker.told] == ["invalid_request"]


@pytest.mark.module("oid4vp-1final-wallet-negative-test-missing-nonce")
def test_a_request_without_a_nonce_is_refused(meeting: Meeting) -> None:
    meeting.asker.raw = {"nonce": None}
    refused(meeting, "oid4vp.nonce")


@pytest.mark.module("oid4vp-1final-wallet-negative-test-wrong-expected-origins")
def test_a_request_for_another_page_is_refused(meeting: Meeting) -> None:
    by_page(meeting)
    meeting.change(expected_origins=("https://elsewhere.test",))
    with pytest.raises(SsiError) as problem:
        meeting.page(called(meeting, meeting.asker.signer_of))
    assert problem.value.code == "oid4vp.origin"


@pytest.mark.module("oid4vp-1final-wallet-negative-test-invalid-client-id-prefix")
@pytest.mark.parametrize("client_id", ["invalid_scheme:shop.test", "a-name-that-nobody-registered"])
def test_an_unknown_kind_of_name_is_refused(meeting: Meeting, client_id: str) -> None:
    token = jws.parse(meeting.asker._token({}), typ=None)
    header = {name: value for name, value in token.header.items() if name != "alg"}
    serving(meeting, jws.sign({**token.claims, "client_id": client_id}, signer=meeting.asker.signer, header=header))
    refused(meeting, "oid4vp.client_id_prefix", oid4vp.request_link(client_id, f"{SHOP}/request"))


@pytest.mark.module("oid4vp-1final-wallet-negative-test-unknown-transaction-data-type")
def test_a_transaction_of_an_unknown_type_is_refused(meeting: Meeting) -> None:
    entry = {"type": "urn:unknown:transaction", "credential_ids": ["person"]}
    meeting.asker.raw = {"transaction_data": [b64url(json.dumps(entry).encode())]}
    refused(meeting, "oid4vp.transaction_type")
    assert meeting.person.post("/open/tell", link=meeting.asker.link).json == {"told": True}
    assert [told["error"] for told in meeting.asker.told] == ["invalid_transaction_data"]


@pytest.mark.module("oid4vp-1final-wallet-negative-test-required-non-matching-credential")
def test_half_of_what_is_required_is_nothing(meeting: Meeting) -> None:
    sets = [{"options": [["person"]]}, {"options": [["other"]]}]
    cards = [meeting.card("person", *BOTH), meeting.other("other")]
    meeting.asker.query = {"credentials": cards, "credential_sets": sets}
    status, said = meeting.open()
    assert status == 200
    assert meeting.person.get(said["next"]).json["request"]["answerable"] is False
    answer = meeting.person.post(f"{said['next']}/share")
    assert (answer.status_code // 100, answer.json["error"]) == (4, "consent.unanswerable")
    meeting.nothing_came()
    meeting.person.post(f"{said['next']}/decline")
    (form,) = meeting.asker.told or meeting.asker.received
    read = oid4vp.read_response(form, response_mode=meeting.asker.request.response_mode, keys=(KEY,))
    assert (read.vp_token, read.error) == (None, "access_denied")
