"""PostgreSQL: everything that only it knows, behind the ``Database`` protocol.

A store is the tables of one schema of one database, which processes on several machines
share.
"""

from index.store.postgresql.database import PostgreSQL

__all__ = ["PostgreSQL"]
