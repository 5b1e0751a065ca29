"""The tables of a store.

What a kind of database needs of them beyond plain SQL stands with the table, in
SQLAlchemy's ``sqlite_`` and ``postgresql_`` arguments. The row of the counter is read
``FOR UPDATE``, which SQLAlchemy leaves out for SQLite: its write transactions exclude
each other anyway.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    false,
    literal_column,
    true,
)

from index.access import CANCELED, NO_EMBARGO, NO_EXPIRY

SCHEMA = 8  # raised with every change to the tables

metadata = MetaData()
# Only a key of type INTEGER is SQLite's own row number, and needs no index.
_Long = BigInteger().with_variant(Integer, "sqlite")
# Ids sort by code point, as Python and SQLite sort them, whatever the server's locale.
_Key = Text().with_variant(Text(collation="C"), "postgresql")

# One row an article: its current version, and the restrictions of the whole article.
# This status is the one in force: a kill sets it without a new version.
articles = Table(
    "articles",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("version", _Key, nullable=False),
    Column("seq", _Long, nullable=False),  # of the change that made it current
    Column("status", SmallInteger, nullable=False),
    Column("embargoed_until", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    # The next instant at which its embargo ends or it expires, which will be logged.
    Column("turns", BigInteger, nullable=False, server_default=str(NO_EXPIRY)),
    # Readers with a filter are judged by these: JSON, values by field.
    Column("values", Text, nullable=False, server_default="{}"),
    Column("published", BigInteger),
    Column("evolved_from", _Key),
    Column("story", _Key),
    sqlite_with_rowid=False,
)
for _link in (articles.c.evolved_from, articles.c.story):
    Index(
        f"articles_{_link.name}",
        _link,
        sqlite_where=_link.is_not(None),
        postgresql_where=_link.is_not(None),
        # PostgreSQL's other indexes have no room for names of more than 2,700 bytes.
        postgresql_using="hash",
    )
_due = articles.c.turns != NO_EXPIRY
Index("articles_turns", articles.c.turns, sqlite_where=_due, postgresql_where=_due)
# Few articles have an embargo or expire; each answer's ETag depends on the last ones.
for _instant, _none in (
    (articles.c.embargoed_until, NO_EMBARGO),
    (articles.c.expires, NO_EXPIRY),
):
    Index(
        f"articles_{_instant.name}",
        _instant,
        sqlite_where=_instant != _none,
        postgresql_where=_instant != _none,
    )
# The long column stands last: SQLite reads a row from its start.
versions = Table(
    "versions",
    metadata,
    Column("id", _Key, ForeignKey("articles.id"), primary_key=True),
    Column("version", _Key, primary_key=True),
    Column("seq", _Long, nullable=False),
    Column("at", BigInteger, nullable=False),  # microseconds since 1970 UTC
    Column("digest", Text, nullable=False),
    # Of the article as sent; the stored content may have an inherited embargo as well.
    Column("sent", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False),
    Column("headline", Text),
    Column("content", Text, nullable=False),  # of index.article.content_json
)
# Who may see each version below the current one, together with the status of that
# version. In a table of its own: SQLite would read the text of a row to get at a column
# that stands after it. A version that an older release superseded has no row.
superseded = Table(
    "superseded",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("version", _Key, primary_key=True),
    Column("embargoed_until", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("values", Text, nullable=False),  # as in articles
    ForeignKeyConstraint(
        ["id", "version"], ["versions.id", "versions.version"], ondelete="CASCADE"
    ),
    sqlite_with_rowid=False,
)
# Originals of versions that parsing changed. Deleting a version deletes its original.
originals = Table(
    "originals",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("version", _Key, primary_key=True),
    Column("format", Text, nullable=False),  # the format it was read as
    Column("data", LargeBinary, nullable=False),  # what was sent, compressed by zlib
    ForeignKeyConstraint(
        ["id", "version"], ["versions.id", "versions.version"], ondelete="CASCADE"
    ),
)
# Digests of contents, as they were sent, that other content of the same version has
# replaced. A repeat of one must not bring it back. Not below the row of the version,
# which goes when its content is replaced.
replaced = Table(
    "replaced",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("version", _Key, primary_key=True),
    Column("digest", Text, primary_key=True),
    sqlite_with_rowid=False,
)
changes = Table(
    "changes",
    metadata,
    Column("seq", _Long, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("id", _Key, nullable=False),
    Column("version", _Key),
    Column("at", BigInteger, nullable=False),
    Column("hides", Boolean, nullable=False),
    # Standing before and after, as JSON: they decide which readers see the entry.
    Column("facts", Text),
)
hiding = changes.c.hides == true()
Index(
    "changes_hiding",
    changes.c.seq,
    changes.c.id,
    sqlite_where=hiding,
    postgresql_where=hiding,
)
# Of killed and withheld articles, also of those never stored or since deleted.
notices = Table(
    "notices",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("status", SmallInteger, nullable=False, server_default="2"),
    # No version up to this one shows again; NULL: none at all.
    Column("version", _Key),
    # The same of an earlier kill, which still holds when this one is undone.
    Column("before", _Key),
    Column("seq", _Long, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("note", Text),
    Column("replacement", _Key),
    Column("cascade", Boolean, nullable=False),
    Column("facts", Text, nullable=False),  # who may read it
    Column("purged", BigInteger),  # when its texts were erased
    # A newer version shows, and the killed ones stay killed; or the kill was undone,
    # and then there is no version.
    Column("over", Boolean, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
# Notices in force, the newest first.
in_force = (notices.c.over == false()) & (
    notices.c.status == literal_column(str(CANCELED))
)
Index(
    "notices_seq",
    notices.c.seq,
    sqlite_where=in_force,
    postgresql_where=in_force,
)
Index(
    "notices_cascade",
    notices.c.cascade,
    sqlite_where=notices.c.cascade == true(),
    postgresql_where=notices.c.cascade == true(),
)
keys = Table(
    "keys",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("name", _Key, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the key
    Column("scopes", Text, nullable=False),  # separated by a blank
    Column("filters", Text, nullable=False),  # JSON
    Column("rate", Integer),  # requests a minute; NULL: as in the settings
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revoked", BigInteger),
)
# Log-ins of browsers. A restore brings none back, and ends those that there are.
sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of its id
    Column("key", _Key, ForeignKey("keys.id", ondelete="CASCADE"), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),  # the last use that was recorded
    Column("expires", BigInteger, nullable=False),
)
Index("sessions_key", sessions.c.key, sessions.c.created)
state = Table(
    "state",
    metadata,
    # schema, oldest_writer, seq, rebuild, rebuilt, epoch, locked, move
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
# Keys that the processes of this store encrypt with, each made once.
secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),  # cursors
    Column("value", LargeBinary, nullable=False),
)
# At most one row: the other store of a move under way, or where this store was moved.
# How far the move is stands in the table state, which every transaction reads anyway.
moves = Table(
    "moves",
    metadata,
    Column("place", Text, primary_key=True),  # where it is, without a password
    Column("until", BigInteger, nullable=False),  # when stopped writes go on
    Column("refused", BigInteger, nullable=False),  # writes, while they were stopped
)
