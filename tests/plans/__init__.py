"""Every module of the OpenID Foundation's conformance plans has a test of the same meaning here."""
