"""What every role needs to run as a web service: settings, headers, a store, pages, certificates and a server.

It knows nothing of credentials, wallets or verifiers (docs/adr/0001). Roles import it; it imports no role.
"""
