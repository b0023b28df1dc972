"""The issuer's side of the W3C test suites: `facet-issuer conformance`, with keys made for the run.

Not the issuing desk: no enrolment, no store, no key of the desk. What is signed here is whatever a caller sends.
"""
