"""Finds the secrets of a job and takes them out of every text that leaves the process."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from jobs.spec.addressees import secrets_of_url
from jobs.spec.job import Spec
from jobs.spec.passcodes import PasscodeError, passcode_of
from jobs.spec.restore import AnonymizeRestore
from jobs.spec.variables import REFERENCE, expand, has_reference

HIDDEN = "***"
SECRET_KEY = re.compile(
    r"secret|passw|passphrase|pwd|token|credential|(account|access|api|private|shared)_?key|^key$|sas|signature"
    r"|connection_string|^auth|^pass$",
    re.IGNORECASE,
)
NOT_SECRET = frozenset(
    {"", "anon", "anonymous", "browser", "cache", "cloud", "default", "google_default"}
    | {"true", "false", "yes", "no", "on", "off", "none", "null"}
)
SMALL_NUMBER = re.compile(r"[0-9]{1,5}")
# Three characters turn up in any text by chance; so short a secret is looked for as a word of its own.
SHORT = 3

# `${NAME}` in a password's place is what a job file should have there.
USERINFO = re.compile(r"(?<=://)([^\s/@:'\"]*):(?!\$\{[A-Za-z_][A-Za-z0-9_]*\}@)([^\s/@'\"]+)@")
QUERY = re.compile(
    r"(?<=[?&])((?:x-amz-|x-goog-)?(?:signature|credential|security-token)|sig|token|access_token|api_?key|awsaccesskeyid)"
    r"=[^&#\s'\"]+",
    re.IGNORECASE,
)


def scrub_urls(text: str) -> str:
    """The text without passwords and signatures in URLs (RFC 3986 section 3.2.1 userinfo, signed query parameters)."""
    return QUERY.sub(rf"\1={HIDDEN}", USERINFO.sub(rf"\1:{HIDDEN}@", text))


def secrets_of(spec: Spec, environment: Mapping[str, str] | None = None) -> frozenset[str]:
    """Every text of the job that must not be shown.

    These are the values at keys of storage options that look secret (`secret`, `token`, `password`, `account_key`,
    ...) and whatever came from the environment, but for plain words and short numbers at keys that do not look secret;
    the URLs of `notify`, with their passwords and tokens; and the passcode that originals are sealed with.

    Args:
        spec: the job.
        environment: variables; those of this process when None.

    Raises:
        UnsetVariableError: a variable is not set and has no default.
    """
    known = os.environ if environment is None else environment
    found: set[str] = set()
    for name in type(spec).model_fields:
        options = getattr(getattr(spec, name), "storage_options", {})
        found.update(_secrets(options, known, secret=False))
    found.update(_passcodes(spec, known))
    for url in spec.notify.urls:
        found.update(_texts(url, known, secret=False))
        found.update(secrets_of_url(expand(url, known)))
    return frozenset(found)


def _passcodes(spec: Spec, environment: Mapping[str, str]) -> Iterator[str]:
    """The passcode that originals are sealed with."""
    restore = getattr(spec, "restore", None)
    if isinstance(restore, AnonymizeRestore) and restore.options.seals:
        try:
            yield passcode_of(restore.options, environment) or ""
        except PasscodeError:
            return  # what is wrong with it is said by whoever needs it


def _secrets(value: Any, environment: Mapping[str, str], *, secret: bool) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secrets(item, environment, secret=secret or bool(SECRET_KEY.search(str(key))))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets(item, environment, secret=secret)
    elif isinstance(value, str):
        yield from _texts(value, environment, secret=secret)
    elif secret and isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _texts(text: str, environment: Mapping[str, str], *, secret: bool) -> Iterator[str]:
    """The expanded text and each variable in it, as far as they are worth hiding."""
    if not secret and not has_reference(text):
        return
    variables = (environment.get(match[1]) or "" for match in REFERENCE.finditer(text) if match[1])
    for candidate in (expand(text, environment), *variables):
        if candidate.casefold() not in NOT_SECRET and (secret or not SMALL_NUMBER.fullmatch(candidate)):
            yield candidate


class Scrubber:
    """Replaces secrets in texts by `***`, also where they stand quoted for URLs, JSON, HTML or Python.

    Args:
        secrets: see `secrets_of`.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        parts = [
            rf"(?<!\w){re.escape(form)}(?!\w)" if len(form) <= SHORT else re.escape(form)
            for form in sorted(forms, key=lambda form: (-len(form), form))
        ]
        self._pattern = re.compile("|".join(parts)) if parts else None

    def __repr__(self) -> str:
        return "Scrubber()"

    def scrub(self, text: str) -> str:
        """The text without secrets, and without passwords and signatures in its URLs."""
        if self._pattern is not None:
            text = self._pattern.sub(HIDDEN, text)
        return scrub_urls(text)


def _forms(secret: str) -> set[str]:
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        repr(secret)[1:-1],
    }
