"""HAIP: does a message keep to the OpenID4VC High Assurance Interoperability Profile 1.0?

A profile only narrows: what it forbids is refused here, with its section, after the base specifications were satisfied.
What it recommends, and what it leaves to ecosystems, is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ssi import dcql
from ssi.errors import Refused
from ssi.model import Check, Finding, Issuer, Opened, Outcome, TrustPolicy
from ssi.oid4vci import IssuerMetadata
from ssi.oid4vp import AuthorizationRequest
from ssi.trust import x509

FORMATS: Final = ("dc+sd-jwt", "mso_mdoc")
"""§6: the only credential formats of the profile."""

REDIRECT_MODE: Final = "direct_post.jwt"
BROWSER_MODE: Final = "dc_api.jwt"
RESPONSE_MODES: Final = (REDIRECT_MODE, BROWSER_MODE)


def refusal(code: str, sentence: str, section: str) -> Refused:
    """The refusal of something that only the profile forbids: `haip.<code>`, with the section in the sentence."""
    return Refused(f"haip.{code}", f"{sentence} (HAIP 1.0, section {section}).")


def check_query(query: dcql.Query) -> None:
    """Only credentials of the profile's formats are asked for (§5, §6). Raises Refused (`haip.format`)."""
    for credential in query.credentials:
        if credential.format not in FORMATS:
            raise refusal("format", "The request asks for a credential format that the profile does not have", "6")


def check_request(request: AuthorizationRequest, *, prefix: str, x5c: Sequence[bytes], by_reference: bool) -> None:
    """A presentation request as a wallet of the profile takes it.

    `prefix` is the asker's client identifier prefix, `x5c` the chain that signed, `by_reference` says that it came
    through `request_uri`. That a verifier lists both content encryptions (§5) is the verifier's duty: a wallet that can
    use the one it lists loses nothing, and the Foundation's suite lists one.

    Raises Refused (`haip.*`), Malformed (`trust.certificate`).
    """
    browser = request.response_mode == BROWSER_MODE
    if request.response_mode not in RESPONSE_MODES:
        raise refusal(
            "response_mode",
            "The answer would not be encrypted",
            "5.2" if "dc_api" in str(request.response_mode) else "5.1",
        )
    if not x5c and not browser:
        raise refusal("unsigned", "The request is not signed with a certificate", "5.1")
    if not by_reference and not browser:
        raise refusal("request_uri", "The request stands in the link instead of at an address", "5.1")
    if (x5c or not browser) and prefix != "x509_hash":
        raise refusal("client_id_prefix", "The asker does not go by the hash of its certificate", "5")
    if x5c:
        check_chain(x5c, section="5")
    check_query(request.query)


def check_chain(x5c: Sequence[bytes], *, section: str) -> None:
    """A signature comes with its certificate, which is not self-signed, and without the anchor.

    An anchor that is not self-signed shows only against a reader's list: `ssi.trust.x509.validate_chain` refuses it.
    Raises Refused (`haip.x5c`, `haip.self_signed`), Malformed (`trust.certificate`).
    """
    if not x5c:
        raise refusal("x5c", "The signature comes without a certificate", section)
    if x509.has_self_signed(x5c):
        raise refusal("self_signed", "The certificate chain includes a self-signed certificate", section)


def check_issuer(metadata: IssuerMetadata) -> None:
    """An issuer names a scope for each card, and has a nonce endpoint where cards are bound to keys (§4.1).

    Raises Refused (`haip.scope`, `haip.nonce_endpoint`).
    """
    cards = metadata.configurations.values()
    if any(card.scope is None for card in cards):
        raise refusal("scope", "The issuer names no scope for one of its cards", "4.1")
    if metadata.nonce_endpoint is None and any(card.binding_methods for card in cards):
        raise refusal("nonce_endpoint", "The issuer binds cards to keys without a fresh challenge", "4.1")


@dataclass(frozen=True)
class NamedKey:
    """A rule for what was presented: an SD-JWT VC holds its holder's key as a JWK (§6.1)."""

    def judge(self, opened: Opened, *, now: datetime) -> Finding:  # a rule without a clock
        """FAIL `haip.cnf` for a holder's key that the credential only names, else PASS `haip.cnf`."""
        holder = opened.claims.get("cnf")
        if opened.format == "dc+sd-jwt" and not (isinstance(holder, dict) and isinstance(holder.get("jwk"), dict)):
            told = refusal("cnf", "The credential does not hold its holder's key itself", "6.1")
            return Finding(Check.RULE, Outcome.FAIL, told.code, told.detail)
        return Finding(Check.RULE, Outcome.PASS, "haip.cnf", "The credential holds its holder's key itself.")


@dataclass(frozen=True)
class Certified:
    """What `policy` says of issuers that sign with a certificate in `x5c`; others are refused (§6.1, §6.1.1).

    Given to a checker of status lists, it asks the same of whoever signs those (§6.1); with another `section`, of
    whoever that is about.
    """

    policy: TrustPolicy
    section: str = "6.1.1"

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        """FAIL `haip.x5c`, else what the policy finds."""
        if not issuer.x5c:
            told = refusal("x5c", "The issuer signed without a certificate", self.section)
            return Finding(Check.TRUST, Outcome.FAIL, told.code, told.detail)
        return self.policy.judge(issuer, credential_type, now=now)
