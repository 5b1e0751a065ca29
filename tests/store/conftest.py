"""The tests of this folder run on each kind of database."""

from stores import postgresql_server, store_url

__all__ = ["postgresql_server", "store_url"]
