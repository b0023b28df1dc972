"""OpenID Federation 1.0: chains up to an anchor, each rule of §3.2 and §10.2 broken once, constraints, marks, keys."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ssi.encoding import b64url, seconds, write_json
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.fetch import Response
from ssi.keys import SoftwareSigner
from ssi.model import Issuer, Outcome
from ssi.trust.federation import ISSUERS, Anchor, Federated, FederatedKeys, Federation, chains, statements
from tests.ssi import federations
from tests.ssi.federations import HOUR, Member, issuer, mark, token, world
from tests.support import NOW

LEAF, MIDDLE, TOP = "https://issuer.test", "https://ministry.test", "https://anchor.test"
PID = "urn:eudi:pid:1"
MARK = "https://anchor.test/marks/pid"


def three() -> tuple[Member, Member, Member]:
    return issuer(LEAF, MIDDLE), Member(MIDDLE, (TOP,)), Member(TOP)


def federation(top: Member, network: object, **more: object) -> Federation:
    return Federation((federations.anchor(top),), fetch=network, **more)  # type: ignore[arg-type]


def resolve(*members: Member) -> object:
    return federation(members[-1], world(*members)).resolve(members[0].id, now=NOW)


def refused(code: str, *members: Member) -> None:
    with pytest.raises(SsiError) as caught:
        resolve(*members)
    assert caught.value.code == code


# --- the chain --------------------------------------------------------------------------------------------------------


def test_a_chain_leads_over_an_intermediate_to_the_anchor_and_gives_the_metadata() -> None:
    leaf, middle, top = three()
    found = federation(top, world(leaf, middle, top)).resolve(LEAF, now=NOW)
    assert found.path == (LEAF, MIDDLE, TOP)
    assert found.anchor == TOP
    assert found.keys(ISSUERS) == {leaf.protocol.kid: leaf.protocol.public}
    assert found.expires == NOW + HOUR


def test_the_chain_ends_with_the_first_of_its_statements_that_does() -> None:
    leaf, middle, top = three()
    middle.life = timedelta(minutes=7)
    assert federation(top, world(leaf, middle, top)).resolve(LEAF, now=NOW).expires == NOW + timedelta(minutes=7)


def test_the_shortest_of_several_chains_is_taken() -> None:
    leaf, middle, top = three()
    leaf.superiors = (MIDDLE, TOP)
    assert federation(top, world(leaf, middle, top)).resolve(LEAF, now=NOW).path == (LEAF, TOP)


def test_an_anchor_itself_is_a_member() -> None:
    top = issuer(TOP)
    assert federation(top, world(top)).resolve(TOP, now=NOW).path == (TOP,)


def test_an_anchor_may_have_published_a_new_key_signed_by_the_old_one() -> None:
    leaf, middle, top = three()
    new = SoftwareSigner.generate("ES256")
    signed_by_old = Member(TOP, signer=top.signer, own={"jwks": federations.jwks(top.signer, new)})
    network = world(leaf, middle, Member(TOP, signer=new))
    network.world[f"{TOP}/.well-known/openid-federation"] = signed_by_old.configuration().encode()  # type: ignore[index]
    assert federation(top, network).resolve(LEAF, now=NOW).anchor == TOP


def test_whoever_takes_the_anchors_place_without_its_key_is_no_anchor() -> None:
    leaf, middle, top = three()
    with pytest.raises(Refused) as caught:
        federation(top, world(leaf, middle, Member(TOP))).resolve(LEAF, now=NOW)
    assert caught.value.code == "trust.federation_key"


def test_an_anchor_that_is_not_configured_leads_nowhere() -> None:
    leaf, middle, top = three()
    with pytest.raises(Refused) as caught:
        federation(Member("https://other.test"), world(leaf, middle, top)).resolve(LEAF, now=NOW)
    assert caught.value.code == "trust.federation_no_path"


def test_a_key_that_the_superior_does_not_vouch_for_breaks_the_chain() -> None:
    leaf, middle, top = three()
    middle.about[LEAF] = {"jwks": federations.jwks(SoftwareSigner.generate("ES256"))}
    refused("trust.federation_key", leaf, middle, top)


def test_an_intermediate_whose_key_the_anchor_does_not_know_breaks_the_chain() -> None:
    leaf, middle, top = three()
    top.about[MIDDLE] = {"jwks": federations.jwks(SoftwareSigner.generate("ES256"))}
    refused("trust.federation_key", leaf, middle, top)


def test_a_signature_by_another_key_of_the_same_name_does_not_hold() -> None:
    leaf, middle, top = three()
    forger = SoftwareSigner.generate("ES256")
    forged = token({**statements.read(middle.states(leaf), now=NOW).claims}, forger, kid=middle.signer.kid)
    network = world(leaf, middle, top)
    network.world[f"{MIDDLE}/fetch"] = lambda *_: Response(200, "", {}, forged.encode())  # type: ignore[index]
    with pytest.raises(Refused) as caught:
        federation(top, network).resolve(LEAF, now=NOW)
    assert caught.value.code == "jose.signature"


def test_a_loop_of_superiors_is_not_followed_and_another_way_is_found() -> None:
    leaf, middle, top = three()
    other = Member("https://other.test", (MIDDLE, LEAF))
    middle.superiors = (other.id, TOP)
    assert federation(top, world(leaf, middle, other, top)).resolve(LEAF, now=NOW).path == (LEAF, MIDDLE, TOP)
    middle.superiors = (other.id,)
    refused("trust.federation_no_path", leaf, middle, other, top)


def test_a_path_that_is_too_long_is_not_followed() -> None:
    top = Member(TOP)
    middles = [Member(f"https://m{n}.test", (f"https://m{n + 1}.test",)) for n in range(7)]
    middles[-1].superiors = (TOP,)
    refused("trust.federation_no_path", issuer(LEAF, middles[0].id), *middles, top)
    middles[-2].superiors = (TOP,)
    assert resolve(issuer(LEAF, middles[0].id), *middles, top)


def test_a_search_has_an_end_however_many_superiors_are_named() -> None:
    crowd = [Member(f"https://c{n}.test", tuple(f"https://c{m}.test" for m in range(30) if m != n)) for n in range(30)]
    network = world(issuer(LEAF, *(each.id for each in crowd)), *crowd, Member(TOP))
    with pytest.raises(Refused) as caught:
        Federation((federations.anchor(Member(TOP)),), fetch=network).resolve(LEAF, now=NOW)
    assert caught.value.code == "trust.federation_size"
    assert len(network.calls) <= chains.MAX_REQUESTS


def test_a_superior_that_cannot_be_reached_leaves_it_unknown() -> None:
    leaf, middle, top = three()
    with pytest.raises(Unavailable) as caught:
        federation(top, world(leaf, middle)).resolve(LEAF, now=NOW)
    assert caught.value.code == "trust.list_unavailable"


def test_a_superior_that_knows_no_such_subordinate_refuses_it() -> None:
    leaf, middle, top = three()
    network = world(leaf, middle, top)
    network.world[f"{MIDDLE}/fetch"] = lambda *_: Response(404, "", {}, b"{}")  # type: ignore[index]
    with pytest.raises(Refused) as caught:
        federation(top, network).resolve(LEAF, now=NOW)
    assert caught.value.code == "trust.federation_not_found"


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_in_trouble_is_no_answer(status: int) -> None:
    leaf, middle, top = three()
    network = world(leaf, middle, top)
    network.world[f"{MIDDLE}/fetch"] = lambda *_: Response(status, "", {}, b"")  # type: ignore[index]
    with pytest.raises(Unavailable):
        federation(top, network).resolve(LEAF, now=NOW)


def test_statements_about_another_entity_are_not_taken() -> None:
    leaf, middle, top = three()
    middle.about[LEAF] = {"sub": "https://other.test"}
    refused("trust.federation_other", leaf, middle, top)
    leaf, middle, top = three()
    leaf.own = {"iss": "https://other.test", "sub": "https://other.test"}
    refused("trust.federation_other", leaf, middle, top)


def test_a_superior_that_the_entity_does_not_name_is_refused_in_a_chain() -> None:
    leaf, _, top = three()
    read = [statements.read(each, now=NOW) for each in (leaf.configuration(), top.states(leaf), top.configuration())]
    with pytest.raises(Refused) as caught:
        chains.validate(read, anchor=federations.anchor(top), now=NOW)
    assert caught.value.code == "trust.federation_chain"
    leaf.superiors = (TOP,)
    read[0] = statements.read(leaf.configuration(), now=NOW)
    assert chains.validate(read, anchor=federations.anchor(top), now=NOW).path == (LEAF, TOP)
    with pytest.raises(Refused):
        chains.validate(read, anchor=federations.anchor(Member(MIDDLE)), now=NOW)
    with pytest.raises(Refused):
        chains.validate([read[0], read[2]], anchor=federations.anchor(top), now=NOW)
    with pytest.raises(Refused):
        chains.validate(read, anchor=federations.anchor(top), now=NOW + 2 * HOUR)


# --- one statement (§3.2) ---------------------------------------------------------------------------------------------

BROKEN = {
    "no iat": ({"iat": None}, "trust.federation_statement"),
    "no exp": ({"exp": None}, "trust.federation_statement"),
    "over": ({"exp": seconds(NOW) - 1}, "trust.federation_expired"),
    "over just now": ({"exp": seconds(NOW)}, "trust.federation_expired"),
    "of tomorrow": ({"iat": seconds(NOW) + 3600}, "trust.federation_early"),
    "times as text": ({"exp": "2030"}, "encoding.numeric_date"),
    "no iss": ({"iss": None}, "trust.federation_id"),
    "iss no URL": ({"iss": "issuer"}, "trust.federation_id"),
    "iss over http": ({"iss": "http://issuer.test"}, "trust.federation_id"),
    "sub with a query": ({"sub": f"{LEAF}?a"}, "trust.federation_id"),
    "sub with a user": ({"sub": "https://a@issuer.test"}, "trust.federation_id"),
    "no jwks": ({"jwks": None}, "trust.federation_keys"),
    "empty jwks": ({"jwks": {"keys": []}}, "trust.federation_keys"),
    "nameless key": ({"jwks": {"keys": [{"kty": "EC"}]}}, "trust.federation_keys"),
    "key named twice": ({"jwks": {"keys": [{"kty": "EC", "kid": "a"}] * 2}}, "trust.federation_keys"),
    "crit": ({"crit": ["budget"], "budget": 1}, "trust.federation_crit"),
    "crit of its own": ({"crit": ["jwks"]}, "trust.federation_statement"),
    "empty crit": ({"crit": []}, "trust.federation_statement"),
    "empty hints": ({"authority_hints": []}, "trust.federation_statement"),
    "hints no URLs": ({"authority_hints": ["x"]}, "trust.federation_id"),
    "hints a text": ({"authority_hints": TOP}, "trust.federation_statement"),
    "anchor hints no URLs": ({"trust_anchor_hints": ["x"]}, "trust.federation_id"),
    "metadata with null": ({"metadata": {"openid_credential_issuer": {"a": None}}}, "trust.federation_statement"),
    "metadata a list": ({"metadata": []}, "trust.federation_statement"),
    "policy about itself": ({"metadata_policy": {}}, "trust.federation_statement"),
    "critical operators about itself": ({"metadata_policy_crit": ["x"]}, "trust.federation_crit"),
    "constraints about itself": ({"constraints": {}}, "trust.federation_statement"),
    "source about itself": ({"source_endpoint": "https://a.test"}, "trust.federation_statement"),
    "an audience": ({"aud": "https://a.test"}, "trust.federation_statement"),
    "an anchor": ({"trust_anchor": TOP}, "trust.federation_statement"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_configuration_that_breaks_a_rule_is_refused(name: str) -> None:
    claims, code = BROKEN[name]
    leaf = issuer(LEAF, TOP, own=claims)
    with pytest.raises(SsiError) as caught:
        statements.read(leaf.configuration(), now=NOW)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "member", ["authority_hints", "trust_anchor_hints", "trust_marks", "trust_mark_issuers", "trust_mark_owners"]
)
def test_what_belongs_into_configurations_is_not_said_about_others(member: str) -> None:
    leaf, middle, _ = three()
    middle.about[LEAF] = {member: [TOP]}
    with pytest.raises(Malformed) as caught:
        statements.read(middle.states(leaf), now=NOW)
    assert caught.value.code == "trust.federation_statement"


@pytest.mark.parametrize(("critical", "kind"), [(["regexp"], Unsupported), (["value"], Malformed), ([], Malformed)])
def test_policy_operators_that_are_critical_must_be_understood(critical: list[str], kind: type[SsiError]) -> None:
    leaf, middle, _ = three()
    middle.about[LEAF] = {"metadata_policy_crit": critical}
    with pytest.raises(kind):
        statements.read(middle.states(leaf), now=NOW)


def test_a_statement_of_another_type_or_without_a_key_name_is_refused() -> None:
    leaf, middle, _ = three()
    claims = dict(statements.read(middle.states(leaf), now=NOW).claims)
    with pytest.raises(Malformed) as caught:
        statements.read(token(claims, middle.signer, typ="JWT"), now=NOW)
    assert caught.value.code == "jose.typ"
    head = b64url(write_json({"alg": "none", "typ": "entity-statement+jwt", "kid": "x"}))
    with pytest.raises(Unsupported):
        statements.read(f"{head}.{b64url(write_json(claims))}.", now=NOW)
    read = statements.read(token(claims, middle.signer, kid=""), now=NOW)
    with pytest.raises(Malformed):
        statements.verify(read.token, {middle.signer.kid: middle.signer.public})


def test_a_superior_without_an_address_for_its_statements_leads_nowhere() -> None:
    leaf, middle, top = three()
    for endpoint in ({}, {"federation_fetch_endpoint": "http://a.test"}, {"federation_fetch_endpoint": 7}):
        middle.own = {"metadata": {"federation_entity": endpoint}}
        refused("trust.federation_endpoint", leaf, middle, top)


def test_an_address_with_a_query_keeps_it() -> None:
    leaf, middle, top = three()
    middle.own = {"metadata": {"federation_entity": {"federation_fetch_endpoint": f"{MIDDLE}/fetch?v=1"}}}
    network = world(leaf, middle, top)
    assert federation(top, network).resolve(LEAF, now=NOW)
    assert ("GET", f"{MIDDLE}/fetch?v=1&sub=https%3A%2F%2Fissuer.test") in network.calls


# --- constraints (§6.2) -----------------------------------------------------------------------------------------------

CONSTRAINTS = {
    "long enough": ({"max_path_length": 1}, None),
    "too short": ({"max_path_length": 0}, "trust.federation_constraint"),
    "negative": ({"max_path_length": -1}, "trust.federation_constraint_form"),
    "no number": ({"max_path_length": True}, "trust.federation_constraint_form"),
    "permitted hosts": ({"naming_constraints": {"permitted": ["issuer.test", "ministry.test"]}}, None),
    "one is not permitted": ({"naming_constraints": {"permitted": ["issuer.test"]}}, "trust.federation_constraint"),
    "permitted domain": ({"naming_constraints": {"permitted": [".test"]}}, None),
    "a domain is not its own host": (
        {"naming_constraints": {"permitted": [".issuer.test", "ministry.test"]}},
        "trust.federation_constraint",
    ),
    "excluded outweighs permitted": (
        {"naming_constraints": {"permitted": [".test"], "excluded": ["issuer.test"]}},
        "trust.federation_constraint",
    ),
    "nothing permitted": ({"naming_constraints": {"permitted": []}}, "trust.federation_constraint"),
    "names no list": ({"naming_constraints": {"permitted": ".test"}}, "trust.federation_constraint_form"),
    "names no object": ({"naming_constraints": []}, "trust.federation_constraint_form"),
    "type named that is always allowed": (
        {"allowed_entity_types": ["federation_entity"]},
        "trust.federation_constraint_form",
    ),
    "no object": ([], "trust.federation_constraint_form"),
    "unknown ones are ignored": ({"phase_of_the_moon": "full"}, None),
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints_hold_for_all_below(name: str) -> None:
    constraints, code = CONSTRAINTS[name]
    leaf, middle, top = three()
    top.about[MIDDLE] = {"constraints": constraints}
    if code is None:
        assert resolve(leaf, middle, top)
    else:
        refused(code, leaf, middle, top)


def test_a_length_of_zero_is_enough_for_the_immediate_superior() -> None:
    leaf, middle, top = three()
    middle.about[LEAF] = {"constraints": {"max_path_length": 0}}
    assert resolve(leaf, middle, top)


def test_entity_types_that_are_not_allowed_are_removed() -> None:
    leaf, middle, top = three()
    top.about[MIDDLE] = {"constraints": {"allowed_entity_types": ["openid_provider"]}}
    found = federation(top, world(leaf, middle, top)).resolve(LEAF, now=NOW)
    assert set(found.metadata) == {"federation_entity"}
    policy = Federated(federation(top, world(leaf, middle, top)), ISSUERS, None)
    assert policy.judge(Issuer(LEAF, leaf.protocol.kid), PID, now=NOW).outcome is Outcome.FAIL


# --- the policy that judges -------------------------------------------------------------------------------------------


def test_a_member_may_issue_what_members_may() -> None:
    leaf, middle, top = three()
    policy = Federated(federation(top, world(leaf, middle, top)), ISSUERS, frozenset({PID}))
    good = policy.judge(Issuer(LEAF, leaf.protocol.kid), PID, now=NOW)
    assert (good.outcome, good.code) == (Outcome.PASS, "trust.federated")
    assert good.evidence == {"issuer": LEAF, "anchor": TOP}
    assert policy.judge(Issuer(LEAF, leaf.protocol.kid), "other", now=NOW).code == "trust.type"
    assert policy.judge(Issuer(LEAF, "another"), PID, now=NOW).code == "trust.federation_key"
    assert policy.judge(Issuer(LEAF, None, (b"x",)), PID, now=NOW).code == "trust.signed_with_certificate"
    assert policy.judge(Issuer("did:key:z6Mk"), PID, now=NOW).code == "trust.unknown_issuer"
    assert policy.judge(Issuer(None), PID, now=NOW).code == "trust.unknown_issuer"
    asking = Federated(federation(top, world(leaf, middle, top)), ("openid_credential_verifier",), None)
    assert asking.judge(Issuer(LEAF), PID, now=NOW).code == "trust.federation_type"


def test_what_could_not_be_asked_is_neither_yes_nor_no() -> None:
    leaf, middle, top = three()
    policy = Federated(federation(top, world(leaf, middle)), ISSUERS, None)
    finding = policy.judge(Issuer(LEAF, leaf.protocol.kid), PID, now=NOW)
    assert (finding.outcome, finding.code) == (Outcome.UNKNOWN, "trust.list_unavailable")


def test_a_member_is_asked_about_once_and_stays_good_while_the_network_is_down_and_its_chain_lasts() -> None:
    leaf, middle, top = three()
    network = world(leaf, middle, top)
    policy = Federated(federation(top, network, refresh=timedelta(minutes=10)), ISSUERS, None)
    who = Issuer(LEAF, leaf.protocol.kid)
    assert policy.judge(who, PID, now=NOW).outcome is Outcome.PASS
    asked = len(network.calls)
    assert policy.judge(who, PID, now=NOW + timedelta(minutes=9)).outcome is Outcome.PASS
    assert len(network.calls) == asked
    network.world = {}
    assert policy.judge(who, PID, now=NOW + timedelta(minutes=20)).outcome is Outcome.PASS
    assert len(network.calls) == asked + 1
    assert policy.judge(who, PID, now=NOW + timedelta(minutes=20, seconds=30)).outcome is Outcome.PASS
    assert len(network.calls) == asked + 1
    over = policy.judge(who, PID, now=NOW + HOUR)
    assert (over.outcome, over.code) == (Outcome.UNKNOWN, "trust.list_stale")


def test_a_member_that_was_expelled_is_refused_after_the_refresh() -> None:
    leaf, middle, top = three()
    network = world(leaf, middle, top)
    policy = Federated(federation(top, network, refresh=timedelta(minutes=10)), ISSUERS, None)
    assert policy.judge(Issuer(LEAF), PID, now=NOW).outcome is Outcome.PASS
    network.world[f"{MIDDLE}/fetch"] = lambda *_: Response(404, "", {}, b"{}")  # type: ignore[index]
    gone = policy.judge(Issuer(LEAF), PID, now=NOW + timedelta(minutes=11))
    assert (gone.outcome, gone.code) == (Outcome.FAIL, "trust.federation_not_found")


def test_a_federation_needs_anchors_with_keys_and_a_policy_something_to_say() -> None:
    with pytest.raises(Malformed):
        Federation((), fetch=world())
    with pytest.raises(Malformed):
        Federation((Anchor(TOP, {}),), fetch=world())
    known = federation(Member(TOP), world())
    for more in ({"types": frozenset()}, {"types": None, "marks": {MARK: frozenset()}}):
        with pytest.raises(ValueError, match="entity types"):
            Federated(known, ISSUERS, **more)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="entity types"):
        Federated(known, (), None)


# --- keys -------------------------------------------------------------------------------------------------------------


class Beside:
    """Finds every key elsewhere."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []

    def issuer_key(self, issuer: Issuer, **_: object) -> str:
        self.asked.append(issuer.id)
        return "elsewhere"

    def holder_key(self, kid: str, **_: object) -> str:
        return kid

    def method_key(self, url: str, **_: object) -> str:
        return url


def test_a_members_keys_are_those_of_its_resolved_metadata_and_of_nowhere_else() -> None:
    leaf, middle, top = three()
    beside = Beside()
    keys = FederatedKeys((Federated(federation(top, world(leaf, middle, top)), ISSUERS, None),), beside)  # type: ignore[arg-type]
    found = keys.issuer_key(Issuer(LEAF, leaf.protocol.kid), alg="ES256", now=NOW)
    assert (found.key, found.method) == (leaf.protocol.public, "federation")
    assert keys.issuer_key(Issuer(LEAF), alg="ES256", now=NOW) == found
    for kid, alg in (("other", "ES256"), (leaf.protocol.kid, "EdDSA")):
        with pytest.raises(Refused) as caught:
            keys.issuer_key(Issuer(LEAF, kid), alg=alg, now=NOW)
        assert caught.value.code == "trust.federation_key"
    assert beside.asked == []


def test_a_federation_cannot_give_an_issuer_a_key_for_what_another_trusts_it_for() -> None:
    """The clubs' operator replaces the issuer's keys; the states trust the issuer for passports, by name and `kid`."""
    leaf, clubs, states = issuer(LEAF, MIDDLE, TOP), Member(MIDDLE), Member(TOP)
    forger = SoftwareSigner.generate("ES256")
    theirs = {"keys": [{**forger.public.jwk, "kid": leaf.protocol.kid}]}
    network = world(leaf, clubs, states)
    policies = tuple(Federated(federation(each, network), ISSUERS, None) for each in (clubs, states))
    keys = FederatedKeys(policies, Beside())  # type: ignore[arg-type]
    for named in (Issuer(LEAF, leaf.protocol.kid), Issuer(LEAF)):
        assert keys.issuer_key(named, alg="ES256", now=NOW).key == leaf.protocol.public
    clubs.about[LEAF] = {"metadata": {"openid_credential_issuer": {"jwks": theirs}}}
    policies = tuple(Federated(federation(each, network), ISSUERS, None) for each in (clubs, states))
    keys = FederatedKeys(policies, Beside())  # type: ignore[arg-type]
    for named in (Issuer(LEAF, leaf.protocol.kid), Issuer(LEAF)):
        with pytest.raises(Refused) as caught:
            keys.issuer_key(named, alg="ES256", now=NOW)
        assert caught.value.code == "trust.federation_key"


def test_who_is_no_member_has_keys_elsewhere_and_nobody_is_asked_where_it_cannot_be_said() -> None:
    leaf, middle, top = three()
    beside = Beside()
    network = world(leaf, middle)
    policies = (Federated(federation(top, network), ISSUERS, None),)
    keys = FederatedKeys(policies, beside)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        keys.issuer_key(Issuer(LEAF), alg="ES256", now=NOW)
    assert beside.asked == []
    network.world["https://other.test"] = lambda *_: Response(404, "", {}, b"<html>")  # type: ignore[index]
    network.world["https://page.test"] = lambda *_: Response(200, "", {}, b"<html>")  # type: ignore[index]
    others = ("https://other.test", "https://page.test", "did:key:z", None)
    assert {keys.issuer_key(Issuer(each), alg="ES256", now=NOW) for each in others} == {"elsewhere"}
    assert keys.issuer_key(Issuer(LEAF, None, (b"x",)), alg="ES256", now=NOW) == "elsewhere"
    assert keys.holder_key("did:key:z#z", now=NOW) == "did:key:z#z"
    assert keys.method_key("did:key:z#z", relationship="assertionMethod", now=NOW) == "did:key:z#z"


# --- trust marks (§7) -------------------------------------------------------------------------------------------------


def judged(leaf: Member, *others: Member, types: frozenset[str] | None = frozenset({PID})) -> tuple[Outcome, str]:
    known = federation(others[-1], world(leaf, *others), marks=frozenset({MARK}))
    finding = Federated(known, ISSUERS, None, {MARK: types}).judge(Issuer(leaf.id), PID, now=NOW)
    return finding.outcome, finding.code


def test_a_mark_by_the_anchor_allows_the_types_that_it_stands_for() -> None:
    leaf, middle, top = three()
    assert judged(leaf, middle, top) == (Outcome.FAIL, "trust.federation_no_mark")
    leaf.own = {"trust_marks": [mark(MARK, top, LEAF)]}
    assert judged(leaf, middle, top) == (Outcome.PASS, "trust.federated")
    assert judged(leaf, middle, top, types=None) == (Outcome.PASS, "trust.federated")
    assert judged(leaf, middle, top, types=frozenset({"other"})) == (Outcome.FAIL, "trust.federation_no_mark")


def marked_by(accredited: object, *, marker: Member | None = None) -> tuple[Outcome, str]:
    leaf, middle, top = three()
    by = marker or Member("https://marker.test", (TOP,))
    leaf.own = {"trust_marks": [mark(MARK, by, LEAF)]}
    top.own = {"trust_mark_issuers": accredited}
    return judged(leaf, middle, by, top)


def test_a_mark_counts_by_an_accredited_issuer_of_the_same_federation() -> None:
    assert marked_by({MARK: ["https://marker.test"]})[0] is Outcome.PASS
    assert marked_by({MARK: []})[0] is Outcome.PASS
    assert marked_by({MARK: ["https://other.test"]})[0] is Outcome.FAIL
    assert marked_by({})[0] is Outcome.FAIL
    assert marked_by([])[0] is Outcome.FAIL
    assert marked_by({MARK: "https://marker.test"})[0] is Outcome.FAIL
    assert marked_by({MARK: []}, marker=Member("https://marker.test", ("https://marker.test",)))[0] is Outcome.FAIL


BAD_MARKS = {
    "another's": {"sub": "https://other.test"},
    "of another type": {"trust_mark_type": "https://other.test/mark"},
    "over": {"exp": seconds(NOW) - 1},
    "of tomorrow": {"iat": seconds(NOW) + 3600},
    "without a date": {"iat": None},
    "of nobody": {"iss": None},
}


@pytest.mark.parametrize("name", BAD_MARKS)
def test_a_mark_that_breaks_a_rule_does_not_count(name: str) -> None:
    leaf, middle, top = three()
    leaf.own = {"trust_marks": [mark(MARK, top, LEAF, **BAD_MARKS[name])]}
    assert judged(leaf, middle, top) == (Outcome.FAIL, "trust.federation_no_mark")


def test_a_mark_without_an_end_holds_and_one_signed_by_another_does_not() -> None:
    leaf, middle, top = three()
    leaf.own = {"trust_marks": [mark(MARK, top, LEAF, exp=None)]}
    assert judged(leaf, middle, top)[0] is Outcome.PASS
    leaf.own = {"trust_marks": [mark(MARK, Member(TOP), LEAF)]}
    assert judged(leaf, middle, top)[0] is Outcome.FAIL
    leaf.own = {"trust_marks": "all of them"}
    assert judged(leaf, middle, top)[0] is Outcome.FAIL


def test_a_mark_of_somebody_who_cannot_be_reached_leaves_it_unknown() -> None:
    leaf, middle, top = three()
    by = Member("https://marker.test", (TOP,))
    leaf.own = {"trust_marks": [mark(MARK, by, LEAF)]}
    top.own = {"trust_mark_issuers": {MARK: [by.id]}}
    assert judged(leaf, middle, top) == (Outcome.UNKNOWN, "trust.list_unavailable")


def test_a_mark_whose_type_has_an_owner_needs_its_delegation() -> None:
    leaf, middle, top = three()
    owner, by = Member("https://owner.test"), Member("https://marker.test", (TOP,))
    top.own = {
        "trust_mark_issuers": {MARK: [by.id]},
        "trust_mark_owners": {MARK: {"sub": owner.id, "jwks": federations.jwks(owner.signer)}},
    }

    def delegated(signer: SoftwareSigner = owner.signer, **more: object) -> Outcome:
        claims = {"iss": owner.id, "sub": by.id, "trust_mark_type": MARK, "iat": seconds(NOW) - 9, **more}
        signed = token(claims, signer, typ="trust-mark-delegation+jwt")
        leaf.own = {"trust_marks": [mark(MARK, by, LEAF, delegation=signed)]}
        return judged(leaf, middle, by, top)[0]

    leaf.own = {"trust_marks": [mark(MARK, by, LEAF)]}
    assert judged(leaf, middle, by, top)[0] is Outcome.FAIL
    assert delegated() is Outcome.PASS
    assert delegated(by.signer) is Outcome.FAIL
    assert delegated(sub=LEAF) is Outcome.FAIL
    assert delegated(iss=by.id) is Outcome.FAIL
    assert delegated(trust_mark_type="https://other.test") is Outcome.FAIL
    assert delegated(exp=seconds(NOW)) is Outcome.FAIL
    top.own["trust_mark_owners"] = {}
    assert delegated() is Outcome.FAIL  # §7.3: a delegation that is there must be valid
