"""The verifier's side of the W3C test suites: `facet-verifier conformance`. It keeps nothing and trusts nobody.

It says whether a document holds together, which is not whether to rely on it: that takes a policy (`verifier.policy`).
"""
