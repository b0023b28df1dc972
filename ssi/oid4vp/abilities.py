"""Abilities: which formats can this house show and verify, and with which algorithms (OpenID4VP 1.0 Annex B)?

The same list is a verifier's `vp_formats_supported` and, where a request is posted for, a wallet's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssi import formats, suites
from ssi.encoding import Json

_JOSE: Final = ("ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_SD_JWT: Final = ("ES256", "ES384", "ES512", "Ed25519")
_COSE: Final = (-7, -9, -35, -51, -36, -52, -8, -19)
"""ES256, ES384, ES512 and EdDSA, each followed by its fully specified name."""


def _linked() -> dict[str, Json]:
    """B.1.3.2.3: proof types, and the suites of the one that has several."""
    every = suites.every()
    return {
        "proof_type_values": list(dict.fromkeys(suite.TYPE for suite in every)),
        "cryptosuite_values": [suite.NAME for suite in every if suite.NAME != suite.TYPE],
    }


_OWN: Final[Mapping[str, Mapping[str, Json]]] = {
    "dc+sd-jwt": {"sd-jwt_alg_values": list(_SD_JWT), "kb-jwt_alg_values": list(_SD_JWT)},  # B.3.4
    "jwt_vc_json": {"alg_values": list(_JOSE)},  # B.1.3.1.3
    "ldp_vc": _linked(),
    "mso_mdoc": {"issuerauth_alg_values": list(_COSE), "deviceauth_alg_values": list(_COSE)},  # B.2.2
}
FORMATS: Final[Mapping[str, Json]] = {known.ID: dict(_OWN.get(known.ID, {})) for known in formats.every()}
"""`vp_formats_supported`. Of formats that OpenID4VP 1.0 does not describe it only says that they are read here."""
