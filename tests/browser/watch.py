"""What goes wrong in a browser while a test looks elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Request,
    Response,
    Route,
    WebError,
)

# A page may leave before all of it was loaded, and a script may take back a request.
_ABORTED = "net::ERR_ABORTED"
_LISTENER = """
addEventListener("securitypolicyviolation", event => nutgrafReport(
  `policy violated: ${event.effectiveDirective} by ${event.blockedURI}`
  + ` in ${event.sourceFile}:${event.lineNumber} ${event.sample}`));
"""


@dataclass  # without slots: Playwright adds attributes to what listens
class Watch:
    """Faults of all pages of a browser context, from the moment it is attached.

    They are violations of the content security policy, errors and warnings on the
    console, uncaught errors, requests that failed or were answered with an error, and
    requests to another origin, which are not sent. An error that answers a navigation
    is none of them: a test looks at the page itself.

    :param origin: scheme, host and port that pages may ask.
    """

    origin: str
    faults: list[str] = field(default_factory=list)

    def attach(self, context: BrowserContext) -> None:
        """Watch a context that has no page yet."""
        context.expose_binding("nutgrafReport", lambda _, text: self._report(text))
        context.add_init_script(_LISTENER)
        context.on("console", self._console)
        context.on("weberror", self._uncaught)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        context.route(lambda url: not self._ours(url), self._refuse)

    def take(self, text: str) -> list[str]:
        """Faults that contain a text, and are expected: they fail no test any more."""
        taken = [fault for fault in self.faults if text in fault]
        self.faults[:] = [fault for fault in self.faults if text not in fault]
        return taken

    def _report(self, fault: str) -> None:
        self.faults.append(fault)

    def _ours(self, url: str) -> bool:
        parts = urlsplit(url)
        return (
            parts.scheme in ("data", "blob", "about")
            or f"{parts.scheme}://{parts.netloc}" == self.origin
        )

    def _console(self, message: ConsoleMessage) -> None:
        # Requests that failed are reported once, by the other methods.
        loading = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not loading:
            self._report(f"console {message.type}: {message.text}")

    def _uncaught(self, error: WebError) -> None:
        self._report(f"uncaught error: {error.error}")

    def _failed(self, request: Request) -> None:
        if request.failure != _ABORTED and self._ours(request.url):
            self._report(f"request failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self._report(f"answer {response.status}: {response.url}")

    def _refuse(self, route: Route) -> None:
        self._report(f"request to another origin: {route.request.url}")
        route.abort()
