"""How is a request read and an answer written?"""

from service.exchange.bodies import (
    decompressed,
    read_sent,
    release_room,
    sent_pieces,
    strict_json,
)
from service.exchange.deprecation import DeprecatedPath
from service.exchange.etags import (
    conditional_response,
    digest_of_request,
    expected_state,
)
from service.exchange.formats import (
    EXPORTS,
    FEEDS,
    MEDIA_TYPES,
    SearchFormat,
    accepted_format,
    asks_for_feed,
)
from service.exchange.forms import read_form
from service.exchange.forwarding import HEADER, REFUSED, Forwarded
from service.exchange.json import JSON, json_response, write_json
from service.exchange.negotiation import add_vary, bare_type, preferred
from service.exchange.operations import (
    BASIC,
    KEY_HEADERS,
    OPEN,
    Blueprint,
    feeds_of,
    pages_of,
    scopes_of,
)
from service.exchange.page_routes import PageBlueprint
from service.exchange.parameters import (
    IF_MATCH,
    Choice,
    Flag,
    Listed,
    Repeatable,
    Text,
    Whole,
    WholeText,
)
from service.exchange.paths import PATH, RawPath, checked_id, decoded, hosts_of_target
from service.exchange.schemas import (
    COMPONENT,
    DISCRIMINATOR,
    ID_RULE,
    Problem,
    described,
    one_of,
    told_apart,
)
from service.exchange.submissions import (
    ACCEPTED,
    Submission,
    read_submissions,
    submission_of_item,
)
from service.exchange.timing import Timing
from service.exchange.waiting import wait_in_slot
from service.exchange.writes import WAIT, WaitArguments, write_response

__all__ = [
    "ACCEPTED",
    "BASIC",
    "COMPONENT",
    "DISCRIMINATOR",
    "EXPORTS",
    "FEEDS",
    "HEADER",
    "ID_RULE",
    "IF_MATCH",
    "JSON",
    "KEY_HEADERS",
    "MEDIA_TYPES",
    "OPEN",
    "PATH",
    "REFUSED",
    "WAIT",
    "Blueprint",
    "Choice",
    "DeprecatedPath",
    "Flag",
    "Forwarded",
    "Listed",
    "PageBlueprint",
    "Problem",
    "RawPath",
    "Repeatable",
    "SearchFormat",
    "Submission",
    "Text",
    "Timing",
    "WaitArguments",
    "Whole",
    "WholeText",
    "accepted_format",
    "add_vary",
    "asks_for_feed",
    "bare_type",
    "checked_id",
    "conditional_response",
    "decoded",
    "decompressed",
    "described",
    "digest_of_request",
    "expected_state",
    "feeds_of",
    "hosts_of_target",
    "json_response",
    "one_of",
    "pages_of",
    "preferred",
    "read_form",
    "read_sent",
    "read_submissions",
    "release_room",
    "scopes_of",
    "sent_pieces",
    "strict_json",
    "submission_of_item",
    "told_apart",
    "wait_in_slot",
    "write_json",
    "write_response",
]
