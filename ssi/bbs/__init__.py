"""BBS signatures (draft-irtf-cfrg-bbs-signatures): sign many messages at once, later prove some and hide the rest."""

from ssi.bbs.ciphersuites import CIPHERSUITES, SHA256, SHAKE256, Ciphersuite
from ssi.bbs.core import MAX_MESSAGES
from ssi.bbs.curve import Random
from ssi.bbs.keys import BbsSigner, public_key, secret_key
from ssi.bbs.signatures import prove, sign, verify, verify_proof

__all__ = [
    "CIPHERSUITES",
    "MAX_MESSAGES",
    "SHA256",
    "SHAKE256",
    "BbsSigner",
    "Ciphersuite",
    "Random",
    "prove",
    "public_key",
    "secret_key",
    "sign",
    "verify",
    "verify_proof",
]
