"""Agency wire text: how is it read?"""

from index.formats.wire.reading import is_wire, read

__all__ = ["is_wire", "read"]
