"""The service for a WSGI server: ``gunicorn wsgi:app``."""

from __future__ import annotations

import os

from index.settings import Settings
from service import compile_templates, create_app

app = create_app(
    Settings.from_environ(os.environ),
    # gunicorn.conf.py sets it: gunicorn runs several processes, which share metrics.
    metrics_folder=os.environ.get("PROMETHEUS_MULTIPROC_DIR"),
)
# Before gunicorn forks its workers: they share what is compiled here.
compile_templates(app)
