"""Settings: defaults, values from the environment, and how they are shown."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from index.errors import InvalidValue
from index.settings import Settings


def refusal(name: str, value: str) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        Settings.from_environ({name: value})
    return caught.value


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environ({}) == Settings()
    assert Settings().store == "sqlite:///data/nutgraf.db"
    assert Settings().bind == "127.0.0.1:8000"


def test_other_programs_variables_are_ignored() -> None:
    environ = {"PATH": "/bin", "WEB_CONCURRENCY": "4", "nutgraf_store": "x"}
    assert Settings.from_environ(environ) == Settings()


def test_a_value_can_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("sqlite:///other.db\n")
    (tmp_path / "limit").write_text("50")
    settings = Settings.from_environ(
        {
            "NUTGRAF_STORE_FILE": f"{tmp_path}/store",
            "NUTGRAF_LIMIT_FILE": f" {tmp_path}/limit ",
        }
    )
    assert settings == Settings(store="sqlite:///other.db", limit=50)


def test_a_value_and_a_file_of_it_are_refused(tmp_path: Path) -> None:
    (tmp_path / "limit").write_text("50")
    environ = {"NUTGRAF_LIMIT": "50", "NUTGRAF_LIMIT_FILE": f"{tmp_path}/limit"}
    with pytest.raises(InvalidValue, match="besides NUTGRAF_LIMIT; set one of the two"):
        Settings.from_environ(environ)


def test_a_file_that_cannot_be_read_is_named_and_its_variable_too(
    tmp_path: Path,
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff")
    missing = str(refusal("NUTGRAF_STORE_FILE", f"{tmp_path}/none"))
    assert "NUTGRAF_STORE_FILE" in missing
    assert "No such file" in missing
    assert "not UTF-8" in str(refusal("NUTGRAF_STORE_FILE", f"{tmp_path}/binary"))
    assert "Is a directory" in str(refusal("NUTGRAF_STORE_FILE", str(tmp_path)))


def test_an_error_about_a_value_in_a_file_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "limit").write_text("many")
    error = refusal("NUTGRAF_LIMIT_FILE", f"{tmp_path}/limit")
    assert "must be a whole number" in str(error)
    assert "is not a setting" in str(refusal("NUTGRAF_NONE_FILE", "x"))


def test_values_have_the_type_of_their_setting() -> None:
    settings = Settings.from_environ(
        {
            "NUTGRAF_STORE": " sqlite:///other.db ",
            "NUTGRAF_LIMIT": "50",
            "NUTGRAF_SEARCH_SECONDS": "0.5",
            "NUTGRAF_CORS": "https://a.example  https://b.example",
            "NUTGRAF_BIND": "[::1]:8080",
        }
    )
    assert settings == Settings(
        store="sqlite:///other.db",
        limit=50,
        search_seconds=0.5,
        cors=("https://a.example", "https://b.example"),
        bind="[::1]:8080",
    )


@pytest.mark.parametrize(
    "origin",
    [
        "https://desk.example",
        "http://localhost:3000",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "https://xn--mnchen-3ya.example:8443",
        "http://a.b:443",
        "chrome-extension://abcdefghijklmnop",
    ],
)
def test_an_origin_is_written_as_browsers_send_it(origin: str) -> None:
    assert Settings.from_environ({"NUTGRAF_CORS": origin}).cors == (origin,)


def test_no_origin_may_be_allowed_explicitly() -> None:
    assert Settings.from_environ({"NUTGRAF_CORS": ""}).cors == ()


@pytest.mark.parametrize(
    ("value", "tag"),
    [("de", "de"), ("deu", "de"), ("en_gb", "en-GB"), ("German", "de")],
)
def test_a_language_is_set_by_any_of_its_codes(value: str, tag: str) -> None:
    assert Settings.from_environ({"NUTGRAF_LANGUAGE": value}).language == tag


def test_a_rate_may_be_none() -> None:
    assert Settings.from_environ({"NUTGRAF_RATE": "none"}).rate is None
    assert Settings.from_environ({"NUTGRAF_RATE": "60"}).rate == 60


def test_hosts_are_names_and_addresses() -> None:
    value = "search.desk.example xn--bro-hoa.example 10.0.0.7 [fd00::1] *.desk.example"
    hosts = Settings.from_environ({"NUTGRAF_HOSTS": value}).hosts
    assert hosts == tuple(value.split())


def test_a_misspelt_variable_is_an_error_that_names_the_right_ones() -> None:
    error = refusal("NUTGRAF_LIMITS", "50")
    assert error.parameter == "NUTGRAF_LIMITS"
    assert "NUTGRAF_LIMIT," in str(error)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("NUTGRAF_LIMIT", "many", "a whole number"),
        ("NUTGRAF_LIMIT", "", "a whole number"),
        ("NUTGRAF_LIMIT", "1.5", "a whole number"),
        ("NUTGRAF_LIMIT", "0", "above 0"),
        ("NUTGRAF_WINDOW", "-1", "above 0"),
        ("NUTGRAF_SEARCH_SECONDS", "soon", "a number"),
        ("NUTGRAF_SEARCH_SECONDS", "nan", "finite"),
        ("NUTGRAF_WAIT_SECONDS", "inf", "finite"),
        ("NUTGRAF_STORE", "  ", "not set at all"),
        ("NUTGRAF_LANGUAGE", "English!", "en-GB"),
        ("NUTGRAF_TZ", "Mars", "not an IANA time zone"),
        ("NUTGRAF_TZ", "", "not set at all"),
        ("NUTGRAF_ZONES", "IST", "as in IST=Asia/Kolkata"),
        ("NUTGRAF_ZONES", "IST=Asia/Kolkata ET", "as in IST=Asia/Kolkata"),
        ("NUTGRAF_DATES", "ymd", "dmy or mdy"),
        ("NUTGRAF_LANGUAGE", "xx", "names no language"),
        ("NUTGRAF_LANGUAGE", "und", "names no language"),
        ("NUTGRAF_CORS", "*", "https://desk.example"),
        ("NUTGRAF_CORS", "null", "https://desk.example"),
        ("NUTGRAF_CORS", "foo", "https://desk.example"),
        ("NUTGRAF_CORS", "http://a.b/", "and nothing else"),
        ("NUTGRAF_CORS", "http://a.b/c", "and nothing else"),
        ("NUTGRAF_CORS", "https://u:p@a.b", "and nothing else"),
        ("NUTGRAF_CORS", "https://*.b", "and nothing else"),
        ("NUTGRAF_CORS", "https://A.b", "lower case"),
        ("NUTGRAF_CORS", "https://a.b:443", "unless it is the default"),
        ("NUTGRAF_CORS", "http://a.b:80", "unless it is the default"),
        ("NUTGRAF_CORS", "https://a.b:", "and nothing else"),
        ("NUTGRAF_CORS", "https://a.b,https://c.d", "and nothing else"),
        ("NUTGRAF_CORS", "https://a.b http://", "and nothing else"),
        ("NUTGRAF_HOSTS", "Desk.example", "lower case"),
        ("NUTGRAF_HOSTS", "desk.example:443", "without a port"),
        ("NUTGRAF_HOSTS", "https://desk.example", "as in addresses"),
        ("NUTGRAF_HOSTS", "*", "as in addresses"),
        ("NUTGRAF_HOSTS", "*.org", "as in addresses"),
        ("NUTGRAF_HOSTS", "a.*.desk.example", "as in addresses"),
        ("NUTGRAF_HOSTS", "*desk.example", "as in addresses"),
        ("NUTGRAF_RATE", "0", "above 0"),
        ("NUTGRAF_RATE", "", "a whole number, or none"),
        ("NUTGRAF_RATE", "many", "a whole number, or none"),
        ("NUTGRAF_RATE", "1000001", "at most 1,000,000"),
        ("NUTGRAF_LIMIT", "none", "a whole number"),
        ("NUTGRAF_BIND", "8000", "HOST:PORT"),
        ("NUTGRAF_BIND", ":8000", "HOST:PORT"),
        ("NUTGRAF_BIND", "localhost:http", "HOST:PORT"),
        ("NUTGRAF_BIND", "localhost:65536", "HOST:PORT"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str, says: str) -> None:
    error = refusal(name, value)
    assert error.parameter == name
    assert says in str(error)


def test_settings_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().limit = 5  # type: ignore[misc]


def test_every_setting_is_documented_and_shown() -> None:
    settings = dataclasses.fields(Settings)
    assert list(Settings().shown()) == [
        "NUTGRAF_" + setting.name.upper() for setting in settings
    ]
    assert all(setting.metadata["about"] for setting in settings)
    assert list(Settings().shown().values()) == [
        setting.default for setting in settings
    ]


@pytest.mark.parametrize("password", ["secret", "se@cret", "se:cr@et"])
def test_passwords_are_masked(password: str) -> None:
    settings = Settings(store=f"postgresql://user:{password}@host/name")
    assert settings.shown()["NUTGRAF_STORE"] == "postgresql://user:***@host/name"


@pytest.mark.parametrize("name", ["password", "sslpassword"])
def test_passwords_in_parameters_are_masked(name: str) -> None:
    settings = Settings(store=f"postgresql+psycopg://host/db?{name}=se@cret&user=u")
    assert settings.shown()["NUTGRAF_STORE"] == (
        f"postgresql+psycopg://host/db?{name}=***&user=u"
    )


def test_a_url_in_place_of_a_file_is_refused_without_its_password() -> None:
    with pytest.raises(InvalidValue, match="cannot be read") as refused:
        Settings.from_environ({"NUTGRAF_STORE_FILE": "postgresql://u:secret@host/db"})
    assert "secret" not in f"{refused.value} {refused.value.facts}"


def test_only_passwords_are_masked() -> None:
    assert Settings().shown()["NUTGRAF_STORE"] == "sqlite:///data/nutgraf.db"
