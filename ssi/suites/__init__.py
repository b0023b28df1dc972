"""Data Integrity: how is a document signed in its own `proof` member? One file per cryptographic suite, one table.

A suite knows how to turn a document and a proof's options into signed bytes, and nothing about whose key it is, for
what and until when a proof holds: that is for `ssi.suites.proofs`, which callers use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

from ssi.encoding import Json
from ssi.errors import Unsupported
from ssi.keys import PublicKey, Signer
from ssi.suites import (
    bbs_2023,
    ecdsa_jcs_2019,
    ecdsa_rdfc_2019,
    ecdsa_sd_2023,
    ecdsa_secp256k1_signature_2019,
    ed25519_signature_2018,
    ed25519_signature_2020,
    eddsa_jcs_2022,
    eddsa_rdfc_2022,
    json_web_signature_2020,
)
from ssi.suites.values import Random


class Suite(Protocol):
    """A cryptographic suite. A suite is a module of `ssi.suites` with these names, listed in its one table."""

    @property
    def NAME(self) -> str:  # noqa: N802  (a constant of the module that implements it)
        """How this house and a proof's `cryptosuite` call it ("eddsa-rdfc-2022"); older suites, by their `type`."""

    @property
    def TYPE(self) -> str:  # noqa: N802  (a constant of the module that implements it)
        """The proof's `type`: "DataIntegrityProof", or an older suite's own."""

    @property
    def CONTEXT(self) -> str:  # noqa: N802  (a constant of the module that implements it)
        """The JSON-LD context that defines the proof's terms, for documents that do not define them yet."""

    @property
    def ALGORITHMS(self) -> tuple[str, ...]:  # noqa: N802  (a constant of the module that implements it)
        """The names of the algorithms (`ssi.keys`) whose keys it takes."""

    @property
    def SELECTIVE(self) -> bool:  # noqa: N802  (a constant of the module that implements it)
        """Whether its holder can show parts of a document: then it is a `SelectiveSuite`."""

    def sign(
        self,
        document: Mapping[str, Json],
        proof: Mapping[str, Json],
        *,
        signer: Signer,
        mandatory: Sequence[str] | None,
        random: Random,
    ) -> Mapping[str, Json]:
        """The complete proof for the options in `proof`. `document` has no `proof` but those that this one continues.

        `mandatory` are the JSON pointers of what can never be hidden (selective suites only; None is their default).
        Raises Malformed, Unsupported (`suite.key`).
        """

    def verify(self, document: Mapping[str, Json], proof: Mapping[str, Json], *, key: PublicKey) -> None:
        """Return when the proof is this key's over the document and over the proof's own options.

        Raises Refused (`suite.signature`, `suite.base_proof`), Malformed, Unsupported (`suite.key`).
        """


@runtime_checkable
class SelectiveSuite(Suite, Protocol):
    """A suite whose holder derives, from the issuer's base proof, a document with less in it that still verifies."""

    def derive(
        self,
        document: Mapping[str, Json],
        proof: Mapping[str, Json],
        *,
        pointers: Sequence[str],
        challenge: bytes,
        random: Random,
    ) -> Mapping[str, Json]:
        """The revealed document with its derived proof: what is mandatory, and what `pointers` name.

        `challenge` is what a derived proof may be bound to (BBS: the presentation header). Raises Malformed.
        """

    def verify_shown(self, document: Mapping[str, Json], proof: Mapping[str, Json], *, key: PublicKey) -> Sequence[str]:
        """As `verify`; returns the mandatory statements (lines of N-Quads), of which the holder cannot hide any."""

    def core(self, proof: Mapping[str, Json]) -> bytes | None:
        """What all proofs that are derived from one base proof share with it; None where they share nothing.

        `proof` is the one or the other. Raises Malformed.
        """

    def check_base(self, document: Mapping[str, Json], proof: Mapping[str, Json], *, key: PublicKey) -> tuple[str, ...]:
        """What the holder asks on receipt: is the base proof good? Returns the mandatory pointers.

        Raises like `verify`.
        """


_ALL: Final[tuple[Suite, ...]] = (
    eddsa_rdfc_2022,
    eddsa_jcs_2022,
    ecdsa_rdfc_2019,
    ecdsa_jcs_2019,
    ecdsa_sd_2023,
    bbs_2023,
    ed25519_signature_2020,
    ed25519_signature_2018,
    json_web_signature_2020,
    ecdsa_secp256k1_signature_2019,
)
_BY_NAME: Final = {suite.NAME: suite for suite in _ALL}


def every() -> tuple[Suite, ...]:
    """All suites, for tests, metadata and choices on the command line."""
    return _ALL


def by_name(name: str) -> Suite:
    """The suite with this name. Raises Unsupported (`suite.unknown`).

    >>> by_name("eddsa-rdfc-2022").TYPE
    'DataIntegrityProof'
    """
    found = _BY_NAME.get(name)
    if found is None:
        raise Unsupported("suite.unknown", "The proof's cryptographic suite is not one that this service knows.")
    return found


def of(proof: Mapping[str, Json]) -> Suite:
    """The suite that a proof names (Data Integrity 1.0 §3.1: `cryptosuite`, or the `type` of an older suite).

    Raises Unsupported (`suite.unknown`).
    """
    kind, name = proof.get("type"), proof.get("cryptosuite")
    named = kind if name is None else name
    found = _BY_NAME.get(named) if isinstance(named, str) else None
    if found is None or kind != found.TYPE:
        raise Unsupported("suite.unknown", "The proof's cryptographic suite is not one that this service knows.")
    return found


def selective_of(proof: Mapping[str, Json]) -> SelectiveSuite:
    """The suite that a proof names, for deriving from it. Raises Unsupported (`suite.unknown`, `suite.indivisible`)."""
    found = of(proof)
    if not found.SELECTIVE or not isinstance(found, SelectiveSuite):
        raise Unsupported("suite.indivisible", "The proof is over the whole document: none of it can be hidden.")
    return found
