"""The HTTP service: Flask over the archive."""

from service.app import bound_to, create_app, use_threads, use_worker, warm

__all__ = ["bound_to", "create_app", "use_threads", "use_worker", "warm"]
