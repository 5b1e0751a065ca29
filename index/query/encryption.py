"""Encryption of short texts that clients keep for us, with a key of the store."""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


def encrypted(content: bytes, key: bytes, layout: bytes) -> bytes:
    """Content, encrypted and authenticated by AES-SIV (RFC 5297).

    Equal contents give equal bytes. No nonce is needed, which could repeat.

    :param layout: of the content; it is authenticated, and must be known to decrypt.
    """
    return _cipher(key).encrypt(content, [layout])


def decrypted(data: bytes, key: bytes, layout: bytes) -> bytes:
    """Content that :func:`encrypted` was given.

    :raises ValueError: it was encrypted with another key or layout, or was changed.
    """
    try:
        return _cipher(key).decrypt(data, [layout])
    except InvalidTag as error:
        raise ValueError("not encrypted with this key") from error


@lru_cache(maxsize=2)
def _cipher(key: bytes) -> AESSIV:
    """Cipher of a key; to make one takes longer than to encrypt a cursor."""
    return AESSIV(key)
