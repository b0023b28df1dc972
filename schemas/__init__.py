"""What do our credential types say? Data files, read by name; no code and no network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, Final

VERIFIED_PERSON: Final = "urn:facet:credential:verified-person:1"

TYPES: Final[Mapping[str, str]] = {VERIFIED_PERSON: "vct/verified-person.json"}
"""The type metadata of every SD-JWT VC type that this house describes, by `vct`."""

TRANSACTIONS: Final[Mapping[str, str]] = {
    "urn:facet:transaction:payment:1": "transactions/payment-1.json",
    "urn:facet:transaction:sign-in:1": "transactions/sign-in-1.json",
}
"""JSON Schemas of the transactions that a person can authorize here, by type (OpenID4VP 1.0 §5.1)."""

PERSON_CONTEXT: Final = "urn:facet:context:verified-person:1"
"""The JSON-LD context of what VERIFIED_PERSON describes, for credentials of type VerifiedPersonCredential."""

CONTEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "https://www.w3.org/2018/credentials/v1": (
        "contexts/credentials-v1.jsonld",
        "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc",
    ),
    "https://www.w3.org/ns/credentials/v2": (
        "contexts/credentials-v2.jsonld",
        "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
    ),
    "https://www.w3.org/ns/credentials/examples/v2": (
        "contexts/credentials-examples-v2.jsonld",
        "57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c",
    ),
    "https://www.w3.org/ns/credentials/undefined-terms/v2": (
        "contexts/credentials-undefined-terms-v2.jsonld",
        "82dab514ba44eb18f5d1b0f638c5e140c6a556fbfb5089601bdc0fa5eb8b2581",
    ),
    "https://www.w3.org/ns/cid/v1": (
        "contexts/cid-v1.jsonld",
        "ea216ecc1cb02cd39b693dba2250141e270ba0bf95890be107dd9a9e8e43de85",
    ),
    "https://www.w3.org/ns/did/v1": (
        "contexts/did-v1.jsonld",
        "4f3eae5568c9c5f036a082088f9e192019ee06faa78973c87ff91d5421b88dad",
    ),
    "https://w3id.org/security/data-integrity/v1": (
        "contexts/data-integrity-v1.jsonld",
        "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554",
    ),
    "https://w3id.org/security/data-integrity/v2": (
        "contexts/data-integrity-v2.jsonld",
        "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
    ),
    "https://w3id.org/security/multikey/v1": (
        "contexts/multikey-v1.jsonld",
        "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
    ),
    "https://w3id.org/security/jwk/v1": (
        "contexts/jwk-v1.jsonld",
        "0f14b62f6071aafe00df265770ea0c7508e118247d79b7d861a406d2aa00bece",
    ),
    "https://w3id.org/security/suites/ed25519-2018/v1": (
        "contexts/ed25519-2018-v1.jsonld",
        "166c6abb9e08176cee5f6c87c9c1bbfefa5717da391bcac525e5437f93eab809",
    ),
    "https://w3id.org/security/suites/ed25519-2020/v1": (
        "contexts/ed25519-2020-v1.jsonld",
        "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588",
    ),
    "https://w3id.org/security/suites/jws-2020/v1": (
        "contexts/jws-2020-v1.jsonld",
        "d648e05ddc6577827ca2bfd5e931f53e9ebc6e52a57a8da81df4ec8c46ffcd1e",
    ),
    "https://w3id.org/security/suites/x25519-2020/v1": (
        "contexts/x25519-2020-v1.jsonld",
        "b234f84fe7cebb0efef37cad82667eeacb6d414f6c51ac37f5dc803a4a0c728a",
    ),
    "https://w3id.org/vc/status-list/2021/v1": (
        "contexts/status-list-2021-v1.jsonld",
        "6dd06a52bedb771e059c1083ba8ba7848dce22f6b4a8cfa0b98ba3fc188870e4",
    ),
    "https://w3id.org/vdl/v1": (
        "contexts/vdl-v1.jsonld",
        "5e61aa138bc6a1bf92299edd01408df52f20c24057b9dbea72ccaeef5b792010",
    ),
    "https://w3id.org/vdl/v2": (
        "contexts/vdl-v2.jsonld",
        "4840b9b17608b05693abdd5f40bbacc2d39726129f62ccf18242b6838c9c9335",
    ),
    "https://w3id.org/vdl/aamva/v1": (
        "contexts/vdl-aamva-v1.jsonld",
        "8394e1f448f15c12b173b264a6f6006f85b343a81548f8e5f1a532bc258894e6",
    ),
    "https://w3id.org/citizenship/v1": (
        "contexts/citizenship-v1.jsonld",
        "4caf8d4d3a6a175f5e5ba6b91dc1fdd88a050630930a6478d8e4cb765c565f40",
    ),
    "https://w3id.org/citizenship/v2": (
        "contexts/citizenship-v2.jsonld",
        "2241bdc574b37395311997b93bee26c8ab2672e5da62de5f2c1d564a00eae959",
    ),
    "https://w3id.org/citizenship/v3": (
        "contexts/citizenship-v3.jsonld",
        "5a4855907ef40afdb50a51af131d7a883c62e891478ebbb81f5ecb9a5a9b99d7",
    ),
    "https://w3id.org/citizenship/v4rc1": (
        "contexts/citizenship-v4rc1.jsonld",
        "a89b0bc00b1848ac3dfdf956c7dd5de8567e755351c07ec6a1c2b4a08b67953b",
    ),
    PERSON_CONTEXT: (
        "contexts/verified-person-1.jsonld",
        "1fa27865ac46ff9ee1a0cfb91ed741fbe8fbce0754c889ea3a1b7b6f77d7ce90",
    ),
}
"""The JSON-LD contexts that this house knows, by URL: the file and the SHA-256 of its bytes, which are as published.

Where they come from and under which licences is in `contexts/NOTICE.md`.
"""


@lru_cache(maxsize=64)
def read(name: str) -> bytes:
    """The bytes of a data file of this package, such as `vct/verified-person.json`.

    Raises FileNotFoundError when there is none of that name: names are the house's own, never a peer's.
    """
    return resources.files("schemas").joinpath(*name.split("/")).read_bytes()


def contract(name: str) -> dict[str, Any]:
    """The artifact of one of the house's contracts: IdentityRegistry or TrustAnchor (docs/contracts.md).

    Members: contractName, compiler, settings, sourceHash (SHA-256), codeHash (keccak-256 of the deployed code with its
    immutable values zero), abi, bytecode, deployedBytecode, immutableReferences, storageLayout. Raises as `read` does.
    """
    artifact: dict[str, Any] = json.loads(read(f"contracts/{name}.json"))
    return artifact
