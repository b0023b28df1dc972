"""Interoperability: flows of our issuer, wallet and verifier with protocol software that nobody here wrote."""
