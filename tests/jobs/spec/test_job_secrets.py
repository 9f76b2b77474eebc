"""Secrets reach no text: not repr, not errors, not the canonical job, not what was scrubbed."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.spec import JobFileError, Scrubber, UnsetVariableError, loads, resolve_options, secrets_of
from jobs.spec.canonical import canonical
from jobs.spec.secrets import scrub_urls
from jobs.spec.variables import expand

PASSWORD = "p@ss/w0rd+ö&<>"
TEXT = """\
job: restore
name: plates
source:
  kind: files
  uri: s3://museum/scans
  storage_options:
    key: "${KEY}"
    secret: "${SECRET}"
    token: 123456789
    anon: false
    use_ssl: true
    client_kwargs: {endpoint_url: "http://localhost:${PORT}", region_name: "${REGION:-eu-west-1}"}
output:
  uri: az://box/out
  storage_options: {account_key: plain-secret-in-the-file, account_name: museum, connect: {password: [inner-pass]}}
"""
ENVIRONMENT = {"KEY": "AKIAEXAMPLE", "SECRET": PASSWORD, "PORT": "9000"}


def test_options_are_filled_in() -> None:
    job = loads(TEXT, environment=ENVIRONMENT)
    assert resolve_options(job.source.storage_options, ENVIRONMENT) == {
        "key": "AKIAEXAMPLE",
        "secret": PASSWORD,
        "token": 123456789,
        "anon": False,
        "use_ssl": True,
        "client_kwargs": {"endpoint_url": "http://localhost:9000", "region_name": "eu-west-1"},
    }
    assert job.source.storage_options["secret"] == "${SECRET}"
    with pytest.raises(UnsetVariableError, match="KEY is not set"):
        resolve_options(job.source.storage_options, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${A}", "1"),
        ("x${A}y${B:-2}z", "x1y2z"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY}", ""),
        ("${B:-}", ""),
        ("${A:-x}", "1"),
        ("$${A}", "${A}"),
        ("$A $ {A} {A}", "$A $ {A} {A}"),
        ("${LOOKS}", "${A}"),
    ],
)
def test_expand(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "EMPTY": "", "LOOKS": "${A}"}) == expected


@pytest.mark.parametrize("text", ["${", "${}", "${1}", "${A", "${A-b}", "a ${A b}", "${A:b}"])
def test_malformed(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        expand(text, {"A": "1"})


def test_what_is_secret() -> None:
    found = secrets_of(loads(TEXT, environment=ENVIRONMENT), ENVIRONMENT)
    assert {"AKIAEXAMPLE", PASSWORD, "123456789", "plain-secret-in-the-file", "inner-pass"} <= found
    assert "http://localhost:9000" in found
    assert not found & {"museum", "9000", "True", "False", "true", "false"}


def test_every_kind_of_job_has_its_secrets_found() -> None:
    pairs = TEXT.replace("job: restore", "job: pairs") + "degrade: {recipe: gfpgan}\n"
    job = loads(pairs, environment=ENVIRONMENT)
    found = secrets_of(job, ENVIRONMENT)
    assert found == secrets_of(loads(TEXT, environment=ENVIRONMENT), ENVIRONMENT)
    assert resolve_options(job.output.storage_options, ENVIRONMENT)["account_key"] in found
    assert not any(secret in f"{job!r} {json.dumps(canonical(job))}" for secret in found)
    models = TEXT + "models: {source: 's3://b/m', storage_options: {secret: of-the-models}}\n"
    assert "of-the-models" in secrets_of(loads(models, environment=ENVIRONMENT), ENVIRONMENT)


def test_a_password_in_a_recipe_is_hidden_in_its_identity() -> None:
    recipe = "{recipe: m, source: 'https://ada:hunter2@host/x', steps: [{use: flip}]}"
    pairs = (
        f"job: pairs\nname: x\nsource: {{kind: files, uri: i/}}\noutput: {{uri: o/}}\ndegrade: {{recipe: {recipe}}}\n"
    )
    assert "hunter2" not in json.dumps(canonical(loads(pairs)))


def test_well_known_words_are_no_secrets() -> None:
    job = loads(TEXT.replace("123456789", "anon"), environment=ENVIRONMENT)
    assert "anon" not in secrets_of(job, ENVIRONMENT)


def test_nothing_shows_them() -> None:
    job = loads(TEXT, environment=ENVIRONMENT)
    shown = f"{job!r} {job} {json.dumps(canonical(job))}"
    for secret in ("plain-secret-in-the-file", "123456789", "inner-pass", PASSWORD, "AKIAEXAMPLE"):
        assert secret not in shown


@pytest.mark.parametrize(
    "line",
    [
        'storage_options: "key=hunter2"',
        "storage_options: [hunter2]",
        "storage_options: {hunter: '${hunter2'}",
        "storage_option: {password: hunter2}",
        "password: hunter2",
        "storage_options: {password: hunter2, password: hunter2}",
        "x: s3://ada:hunter2@b/x",
    ],
)
def test_errors_do_not_repeat_them(line: str) -> None:
    text = f"job: restore\nname: x\nsource:\n  kind: files\n  uri: s3://b/c\n  {line}\noutput: {{uri: out/}}\n"
    with pytest.raises(JobFileError) as caught:
        loads(text)
    assert "hunter2" not in f"{caught.value} {caught.value!r}"


def test_errors_about_a_uri_hide_its_password() -> None:
    text = "job: restore\nname: x\nsource: {kind: files, uri: in/}\noutput: {uri: o/, format: 'ftp://a:hunter2@b'}\n"
    with pytest.raises(JobFileError) as caught:
        loads(text)
    assert "hunter2" not in str(caught.value)
    assert "ftp://a:***@b" in str(caught.value)


@pytest.mark.parametrize(
    "form",
    [
        PASSWORD,
        quote(PASSWORD),
        quote(PASSWORD, safe=""),
        quote_plus(PASSWORD),
        json.dumps(PASSWORD),
        repr({"secret": PASSWORD}),
        f"sftp://me:{quote(PASSWORD, safe='')}@host/x",
        "p@ss/w0rd+ö&amp;&lt;&gt;",
    ],
)
def test_scrubbed_in_every_form(form: str) -> None:
    scrubbed = Scrubber([PASSWORD]).scrub(f"before {form} after")
    assert "w0rd" not in scrubbed
    assert "***" in scrubbed
    assert scrubbed.startswith("before ")
    assert scrubbed.endswith(" after")


def test_the_longest_secret_goes_first() -> None:
    assert Scrubber(["abcd", "abcdefgh"]).scrub("x abcdefgh abcd") == "x *** ***"


def test_a_short_secret_is_a_word_of_its_own() -> None:
    assert Scrubber(["ab"]).scrub("password=ab, about a lab; ab.") == "password=***, about a lab; ***."


def test_without_secrets() -> None:
    assert Scrubber([]).scrub("nothing here") == "nothing here"
    assert Scrubber([""]).scrub("nothing here") == "nothing here"
    assert "hunter" not in repr(Scrubber(["hunter"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see sftp://ada:secret@host/x", "see sftp://ada:***@host/x"),
        ("https://:secret@host", "https://:***@host"),
        ("http://a/b?X-Amz-Signature=abc&x=1", "http://a/b?X-Amz-Signature=***&x=1"),
        ("http://a/b?x=1&sig=abc%3D", "http://a/b?x=1&sig=***"),
        ("http://localhost:9000/a@b", "http://localhost:9000/a@b"),
        ("az://box@account/x", "az://box@account/x"),
        ("a:b@c", "a:b@c"),
    ],
)
def test_scrub_urls(text: str, expected: str) -> None:
    assert scrub_urls(text) == expected


LETTERS = st.characters(exclude_characters="*", exclude_categories=["Cs"])


@settings(derandomize=True, deadline=None)
@given(secret=st.text(LETTERS, min_size=4, max_size=30), around=st.text(LETTERS, max_size=20))
def test_no_secret_survives(secret: str, around: str) -> None:
    assert secret not in Scrubber([secret]).scrub(around + secret + around)


@settings(derandomize=True, deadline=None)
@given(st.text(alphabet="${}:-AB_ $", max_size=20))
def test_expand_fails_in_two_ways_only(text: str) -> None:
    try:
        expand(text, {"A": "x"})
    except (UnsetVariableError, ValueError):
        return
