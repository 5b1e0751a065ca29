"""Tests of the pages in a real browser: the system's Chromium, driven by Playwright.

A package, so that its server and its browser end with the last of these tests.
"""
