"""The verifier: asks for a presentation, judges it check by check, and shows only what was asked for.

It has no type through which a holder's key could arrive, and imports nothing of the wallet.
"""
