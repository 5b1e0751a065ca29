"""Dates: which instants does a date stand for?"""

from index.dates.instants import (
    Clock,
    from_micros,
    instant,
    is_instant,
    iso,
    micros,
    utc_now,
)
from index.dates.notations import MONTHS
from index.dates.periods import day_start, period
from index.dates.written import Precision, WrittenDate, is_dated, read_date
from index.dates.zones import DateRules, date_rules, zone

__all__ = [
    "MONTHS",
    "Clock",
    "DateRules",
    "Precision",
    "WrittenDate",
    "date_rules",
    "day_start",
    "from_micros",
    "instant",
    "is_dated",
    "is_instant",
    "iso",
    "micros",
    "period",
    "read_date",
    "utc_now",
    "zone",
]
