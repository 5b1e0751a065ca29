"""Which pages are there for people? Each shows what the API answers."""

from service.pages.routes import register

__all__ = ["register"]
