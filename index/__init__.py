"""Nutgraf's library: articles in, ranked paragraphs out. It knows nothing of HTTP."""
