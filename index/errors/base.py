"""The base of all errors, and the base of each of the two branches."""

from __future__ import annotations


class NutgrafError(Exception):
    """Base of all errors that Nutgraf raises."""

    code = "internal_error"

    @property
    def facts(self) -> dict[str, object]:
        """Attributes of the error by name, without those that are ``None``."""
        return {
            name: value
            for name, value in vars(self).items()
            if not name.startswith("_") and name != "code" and value is not None
        }


class InputError(NutgrafError):
    """Error in what the caller sent; sending it again does not help."""

    code = "invalid_input"


class ServiceError(NutgrafError):
    """Failure to serve a correct request; trying later may help."""

    code = "unavailable"
