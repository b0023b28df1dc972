"""Benches: how fast is it, against the floor and against its peers, in one run?

`python -m tests.bench` runs every bench of the table, prints one table and writes `build/bench.json`.
"""
