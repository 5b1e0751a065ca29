"""The tests of this folder run on each kind of database."""

from stores import postgresql_server
from stores import store_url_at_length as store_url

__all__ = ["postgresql_server", "store_url"]
