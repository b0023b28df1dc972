"""Transaction data: what a person may be asked to authorize, which proof covers it, and every reason to refuse."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

import schemas
from ssi import dcql
from ssi.encoding import b64url
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.formats import sdjwt
from ssi.jose import jws
from ssi.keys import SoftwareSigner
from ssi.model import Challenge, Credential, Disclosure, Draft, Issuer, Outcome, Presentation
from ssi.oid4vp import DIRECT_POST, AuthorizationRequest, assigned, challenges, error_for, open_request, transactions
from tests.ssi.test_oid4vp_requests import CLIENT, LEAF, LINK, NOBODY, SIGNER, asked, signed
from tests.support import NOW

VCT = "urn:facet:credential:verified-person:1"
PAY = {"payee": "Shop", "amount": "12.50", "currency": "EUR"}


def card(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, **more}


def mdoc(name: str) -> dict[str, Any]:
    return {"id": name, "format": "mso_mdoc", "meta": {"doctype_value": "org.iso.18013.5.1.mDL"}}


def payment(*ids: str, **changes: Any) -> str:
    return transactions.make(transactions.PAYMENT, ids or ("person",), {**PAY, **changes})


def entry(**changes: Any) -> str:
    said = {"type": transactions.PAYMENT, "credential_ids": ["person"], **PAY, **changes}
    return b64url(json.dumps({name: value for name, value in said.items() if value is not None}).encode())


def request(*data: str, queries: tuple[dict[str, Any], ...] = (card("person"),)) -> AuthorizationRequest:
    return asked(transaction_data=data, query=dcql.parse({"credentials": list(queries)}))


def read(made: AuthorizationRequest, types: Any = transactions.TYPES) -> AuthorizationRequest:
    return open_request(signed(made), link=LINK, keys=NOBODY, now=NOW, transaction_types=types).request


def refused(data: object, **options: Any) -> SsiError:
    said = {**asked().parameters(), "transaction_data": data, **options}
    header = {"typ": "oauth-authz-req+jwt", "x5c": [b64encode(LEAF).decode()]}
    token = jws.sign(said, signer=SIGNER, header=header)
    with pytest.raises(SsiError) as refusal:
        open_request(token, link=LINK, keys=NOBODY, now=NOW, transaction_types=transactions.TYPES)
    return refusal.value


# what is asked


def test_a_known_transaction_is_read_as_it_came_and_shown_in_words() -> None:
    data = payment(reference="Order 7")
    assert read(request(data)).transaction_data == (data,)
    shown = transactions.parse(data)
    assert (shown.type, shown.title, shown.credential_ids) == (transactions.PAYMENT, "A payment", ("person",))
    assert shown.lines == (("Amount", "12.50 EUR"), ("To", "Shop"), ("Reference", "Order 7"))
    sign_in = transactions.parse(transactions.make(transactions.SIGN_IN, ["person"], {"service": "shop.test"}))
    assert (sign_in.title, sign_in.lines) == ("A sign-in", (("To", "shop.test"),))


def test_every_field_of_a_type_is_shown_to_the_person() -> None:
    for kind in transactions.TYPES:
        fields = set(json.loads(kind.schema)["properties"])
        hidden = {"type", "credential_ids", "transaction_data_hashes_alg"}
        labelled = {name for name, _ in kind.labels}
        assert fields - hidden - labelled <= {"currency"}  # which stands beside the amount


def test_the_schemas_are_schemas_and_are_all_known() -> None:
    assert {kind.name for kind in transactions.TYPES} == set(schemas.TRANSACTIONS)
    for name, file in schemas.TRANSACTIONS.items():
        document = json.loads(schemas.read(file))
        jsonschema.Draft202012Validator.check_schema(document)
        assert (document["$id"], document["additionalProperties"]) == (name, False)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ([], "oid4vp.transaction_data"),
        ("text", "oid4vp.transaction_data"),
        ([5], "oid4vp.transaction_data"),
        (["!"], "oid4vp.transaction_data"),
        ([b64url(b"[]")], "oid4vp.transaction_data"),
        ([payment(), entry(type="other")], "oid4vp.transaction_type"),
        ([entry(type=None)], "oid4vp.transaction_type"),
        ([entry(type=["payment"])], "oid4vp.transaction_data"),
        ([entry(credential_ids=None)], "oid4vp.transaction_data"),
        ([entry(credential_ids=[])], "oid4vp.transaction_data"),
        ([entry(credential_ids=["nobody"])], "oid4vp.transaction_data"),
        ([entry(credential_ids=[5])], "oid4vp.transaction_data"),
        ([entry(transaction_data_hashes_alg=["sha-512"])], "oid4vp.transaction_data"),
        ([entry(transaction_data_hashes_alg="sha-256")], "oid4vp.transaction_data"),
        ([entry(tip="5")], "oid4vp.transaction_data"),
        ([entry(amount=12)], "oid4vp.transaction_data"),
        ([entry(amount="12,50")], "oid4vp.transaction_data"),
        ([entry(currency="eur")], "oid4vp.transaction_data"),
        ([entry(payee=None)], "oid4vp.transaction_data"),
        ([entry(payee="pohS\u202e")], "oid4vp.transaction_data"),
        ([entry(payee="Shop\nAmount: 1")], "oid4vp.transaction_data"),
        ([payment()] * 17, "oid4vp.transaction_data"),
    ],
)
def test_what_is_not_a_known_transaction_is_refused_and_the_asker_is_told_so(data: object, code: str) -> None:
    problem = refused(data)
    assert problem.code == code
    assert error_for(problem) == "invalid_transaction_data"


def test_a_wallet_that_shows_no_transactions_takes_none() -> None:
    with pytest.raises(Unsupported) as refusal:
        read(request(payment()), types=())
    assert refusal.value.code == "oid4vp.transaction_type"


def test_a_credential_without_holder_binding_authorizes_nothing() -> None:
    unbound = {"credentials": [card("person", require_cryptographic_holder_binding=False)]}
    assert refused([payment()], dcql_query=unbound).code == "oid4vp.transaction_data"


def test_a_mobile_document_alone_authorizes_nothing() -> None:
    assert (
        refused([payment("licence")], dcql_query={"credentials": [mdoc("licence")]}).code == "oid4vp.transaction_type"
    )
    both = (card("person"), mdoc("licence"))
    data = payment("licence", "person")
    assert read(request(data, queries=both)).transaction_data == (data,)


# which presentation authorizes which


def test_each_transaction_goes_to_one_credential_alone() -> None:
    first, second = payment("a", "b"), payment("b", reference="second")
    made = request(first, second, queries=(card("a"), card("b"), mdoc("c")))
    plan = assigned(made, {"a": "dc+sd-jwt", "b": "dc+sd-jwt", "c": "mso_mdoc"})
    assert {name: one.transaction_data for name, one in plan.items()} == {"a": (first,), "b": (second,), "c": ()}
    alone = assigned(made, {"b": "dc+sd-jwt"})
    assert alone["b"].transaction_data == (first, second)
    with pytest.raises(Refused) as refusal:
        assigned(made, {"a": "dc+sd-jwt"})
    assert refusal.value.code == "oid4vp.transaction_missing"


ISSUER = SoftwareSigner.generate("ES256")
HOLDER = SoftwareSigner.generate("ES256")


def credential() -> Credential:
    draft = Draft(VCT, Issuer(None, x5c=(LEAF,)), {"given_name": "Ada"}, valid_until=NOW + timedelta(days=9))
    return sdjwt.issue(draft, signer=SIGNER, holder=HOLDER.public, now=NOW)


def shown(challenge: Challenge) -> Presentation:
    return sdjwt.derive(credential(), disclose=Disclosure(()), challenge=challenge, holder=HOLDER, now=NOW)


class Keys:
    """The issuer's key, whoever says to be it."""

    def issuer_key(self, *_: Any, **__: Any) -> Any:
        from ssi.model import ResolvedKey

        return ResolvedKey(SIGNER.public, "x5c")


def outcome(presentation: Presentation, challenge: Challenge) -> tuple[Outcome, str]:
    opened = sdjwt.open(presentation, challenge=challenge, keys=Keys(), now=NOW)  # type: ignore[arg-type]  # one question
    finding = next(one for one in opened.findings if one.check.value == "holder_binding")
    return finding.outcome, finding.code


@pytest.mark.parametrize("chooser", ["a", "b"])
def test_the_verifier_takes_the_wallets_choice_and_proves_it(chooser: str) -> None:
    data = payment("a", "b")
    made = request(data, queries=(card("a"), card("b")))
    plain = replace(assigned(made, {"a": "dc+sd-jwt"})["a"], transaction_data=())
    wires = {name: shown(replace(plain, transaction_data=(data,) if name == chooser else ())) for name in ("a", "b")}
    found = challenges(made, {name: [one.wire] for name, one in wires.items()})
    assert {name: some[0].transaction_data for name, some in found.items()}[chooser] == (data,)
    assert all(outcome(one, found[name][0]) == (Outcome.PASS, "kb.valid") for name, one in wires.items())


def test_an_answer_that_authorizes_nothing_is_refused() -> None:
    data = payment()
    made = request(data)
    silent = shown(replace(assigned(made, {"person": "dc+sd-jwt"})["person"], transaction_data=()))
    for wires in ([silent.wire], ["no~token"], ["~a.!.c"], ["~a"]):
        with pytest.raises(Refused) as refusal:
            challenges(made, {"person": wires})
        assert refusal.value.code == "oid4vp.transaction_missing"


def test_a_claimed_authorization_must_be_signed() -> None:
    data = payment()
    made = request(data)
    honest = shown(assigned(made, {"person": "dc+sd-jwt"})["person"])
    sd_jwt, _, proof = honest.wire.rpartition("~")
    head, body, _ = proof.split(".")
    forged = Presentation("dc+sd-jwt", f"{sd_jwt}~{head}.{body}.{b64url(bytes(64))}")
    (bound,) = challenges(made, {"person": [forged.wire]})["person"]
    assert outcome(forged, bound)[0] is Outcome.FAIL


def test_hashes_nobody_asked_for_do_not_pass() -> None:
    data, other = payment(), payment(reference="not asked for")
    made = request(data)
    bound = assigned(made, {"person": "dc+sd-jwt"})["person"]
    more = shown(replace(bound, transaction_data=(data, other)))
    (found,) = challenges(made, {"person": [more.wire]})["person"]
    assert outcome(more, found) == (Outcome.FAIL, "kb.transaction_data")


def test_the_hash_function_is_named_when_the_request_names_any() -> None:
    data = payment(transaction_data_hashes_alg=["sha-256"])
    made = request(data)
    bound = assigned(made, {"person": "dc+sd-jwt"})["person"]
    presentation = shown(bound)
    claims = jws.parse(presentation.wire.rpartition("~")[2], typ=("kb+jwt",)).claims
    assert claims["transaction_data_hashes_alg"] == "sha-256"
    (found,) = challenges(made, {"person": [presentation.wire]})["person"]
    assert outcome(presentation, found) == (Outcome.PASS, "kb.valid")


def test_a_request_without_transactions_binds_every_presentation_alike() -> None:
    made = AuthorizationRequest(
        client_id=CLIENT, nonce="n", response_uri="https://rp.test/", response_mode=DIRECT_POST, query=asked().query
    )
    found = challenges(made, {"person": ["a~", "b~"]})
    assert len(set(found["person"])) == 1
    assert len(found["person"]) == 2


def test_transactions_that_cannot_be_shown_are_not_made() -> None:
    with pytest.raises(Malformed):
        payment(amount="a lot")
    with pytest.raises(Unsupported):
        transactions.make("urn:other", ["person"], {})
