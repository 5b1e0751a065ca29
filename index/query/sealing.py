"""Sealing: contents that clients keep for us, as text that only the store can read."""

from __future__ import annotations

import base64

# The library of encryption takes 36 ms and 6 MB: it is imported when it is used.


def sealed(content: bytes, key: bytes, layout: bytes) -> str:
    """Content as opaque text: encrypted and authenticated; see :mod:`.encryption`.

    :param layout: what the content is; only with the same one can it be unsealed.
    """
    from index.query.encryption import encrypted

    text = _text(encrypted(content, key, layout))
    # After an option of a command, what begins with a hyphen is another option.
    return f"~{text[1:]}" if text.startswith("-") else text


def unsealed(text: str, key: bytes, layout: bytes) -> bytes:
    """Content that :func:`sealed` was given.

    :raises ValueError: it was sealed with another key or layout, or was changed.
    """
    from index.query.encryption import decrypted

    if text.startswith("~"):
        text = f"-{text[1:]}"
    data = base64.urlsafe_b64decode(text.encode("ascii") + b"==")
    # Decoders skip characters, and some bytes have several spellings in base64.
    if _text(data) != text:
        raise ValueError("not what was sealed")
    return decrypted(data, key, layout)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
