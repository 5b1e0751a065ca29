"""Measurements of Nutgraf: its speed compared with its peers, and its ranking.

``python -m benchmarks`` measures the lines of docs/benchmarks.md, ``python -m
benchmarks.ranking`` the ranking. Nothing here is installed with Nutgraf.
"""
