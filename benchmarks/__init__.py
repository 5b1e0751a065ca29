"""What Nutgraf can do, measured: its speed beside its peers', and its ranking.

``python -m benchmarks`` measures the lines of docs/benchmarks.md, ``python -m
benchmarks.ranking.relevance`` the ranking. Nothing here is installed with Nutgraf.
"""
