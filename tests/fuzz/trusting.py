"""Readers of trust lists, federations and declarations, for the table of what is fuzzed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from ssi.encoding import read_json_object, write_json
from ssi.errors import SsiError, Unavailable
from ssi.model import Issuer, Outcome
from ssi.trust import declared, lote, ts119612
from ssi.trust.federation import chains, marks, statements
from tests.ssi import federations, trustedlists
from tests.support import NOW, InMemoryFetch

_OPERATOR = trustedlists.Operator.make()
_KIND = "https://anchor.test/mark"


@lru_cache(maxsize=1)
def list_seed() -> tuple[bytes, ...]:
    above, _ = trustedlists.authorities()
    history = [{"ServiceStatus": trustedlists.GRANTED, "StatusStartingTime": "2026-01-01T00:00:00Z"}]
    return (write_json(trustedlists.lote(trustedlists.service([above.der], ServiceHistory=history))),)


@lru_cache(maxsize=1)
def signed_list_seed() -> tuple[bytes, ...]:
    return (trustedlists.signed(trustedlists.lote(), _OPERATOR),)


@lru_cache(maxsize=1)
def xml_seed() -> tuple[bytes, ...]:
    history = f"<ServiceHistory>{trustedlists.past(trustedlists.GRANTED, NOW)}</ServiceHistory>"
    return (trustedlists.enveloped(trustedlists.tsl(trustedlists.entry([], history=history)), _OPERATOR),)


def read_list(data: bytes) -> None:
    """What a list says is read however its operator writes it."""
    lote.read(trustedlists.signed(read_json_object(data), _OPERATOR), signers=(_OPERATOR.der,), now=NOW)


def read_signed_list(data: bytes) -> None:
    found = lote.read(data, signers=(_OPERATOR.der,), now=NOW)
    assert found.sequence == 7, "a changed list was believed"


def read_xml(data: bytes) -> None:
    """The list as it is signed, and what it says without regard to that."""
    try:
        found = ts119612.read(data, signers=(_OPERATOR.der,), now=NOW)
        assert (found.sequence, len(found.services)) == (42, 1), "a changed list was believed"
    except SsiError:
        ts119612._list(ts119612._parsed(data))


@lru_cache(maxsize=1)
def _members() -> tuple[federations.Member, federations.Member]:
    leaf, top = (
        federations.issuer("https://issuer.test", "https://anchor.test"),
        federations.Member("https://anchor.test"),
    )
    return leaf, top


@lru_cache(maxsize=1)
def statement_seed() -> tuple[bytes, ...]:
    return (_members()[0].configuration().encode(),)


def federation_seed() -> tuple[bytes, ...]:
    policy = {"openid_credential_issuer": {"scope": {"subset_of": ["a", "b"], "default": ["a"], "essential": False}}}
    constraints = {"max_path_length": 1, "naming_constraints": {"permitted": [".test"], "excluded": []}}
    return (
        write_json({"metadata_policy": policy, "constraints": constraints}),
        write_json({"trust_mark_issuers": {_KIND: []}, "trust_mark_owners": {}}),
        write_json({"trust_mark_type": _KIND, "iat": 1, "delegation": "a.b.c"}),
    )


def read_federation(data: bytes) -> None:
    """Whatever a superior states, whatever an anchor says of itself, and whatever a mark is."""
    said, (leaf, top) = read_json_object(data), _members()
    for own, about, mark in ((({}, said, {})), (said, {}, {}), ({}, {}, said)):
        try:
            _chain(leaf, top, own, about, mark)
        except SsiError:
            continue


def _chain(leaf: Any, top: Any, own: dict[str, Any], about: dict[str, Any], mark: dict[str, Any]) -> None:
    marked = federations.Member(leaf.id, leaf.superiors, leaf.metadata, leaf.signer, leaf.protocol)
    marked.own = {"trust_marks": [federations.mark(_KIND, top, leaf.id, **mark)]}
    above = federations.Member(top.id, (), {}, top.signer, top.protocol, own, {leaf.id: about})
    texts = (marked.configuration(), above.states(marked), above.configuration())
    read = [statements.read(each, now=NOW) for each in texts]
    chain = chains.validate(read, anchor=federations.anchor(top), now=NOW)
    marks.valid(chain, _KIND, resolve=lambda entity: chain, now=NOW)


def declaration_seed() -> tuple[bytes, ...]:
    keys = federations.jwks(_members()[1].signer)
    return (
        write_json(
            {
                "issuers": [
                    {"kind": "did", "ids": {"did:web:a.test": ["x"]}},
                    {"kind": "federation", "anchor": "https://anchor.test", "keys": keys, "types": None},
                    {"kind": "lote", "url": "https://a.test", "signers": "a.pem", "types": {"t": None}},
                ]
            }
        ),
    )


def read_declaration(data: bytes) -> None:
    """A declaration that is read trusts nobody whom it does not name."""

    def beside(name: str) -> bytes:
        if name != "a.pem":
            raise Unavailable("settings.file", "It is not there.")
        return load_der_x509_certificate(_OPERATOR.der).public_bytes(Encoding.PEM)

    found = declared.read(data, open_file=beside, fetch=InMemoryFetch({}))
    if found.issuers is not None:
        stranger = found.issuers.judge(Issuer("did:example:stranger"), "x", now=NOW)
        assert stranger.outcome is not Outcome.PASS, "a stranger was trusted"
