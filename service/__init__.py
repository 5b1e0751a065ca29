"""The HTTP service: Flask over the archive."""

from service.app import (
    bound_to,
    compile_templates,
    create_app,
    use_threads,
    use_worker,
    warm,
)
from service.upkeep import start as start_upkeep

__all__ = [
    "bound_to",
    "compile_templates",
    "create_app",
    "start_upkeep",
    "use_threads",
    "use_worker",
    "warm",
]
