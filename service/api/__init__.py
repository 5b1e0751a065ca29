"""Which routes are there? A module for each kind of thing asked for."""

from service.api.documentation import register

__all__ = ["register"]
