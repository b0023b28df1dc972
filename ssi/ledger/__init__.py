"""Ledgers: what has been written where nobody, its writer included, can quietly rewrite it?"""
