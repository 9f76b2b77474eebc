"""Job files that hide faces: their own defaults, what they cannot have, and where a passcode may stand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.restore.anonymity import anonymity_of
from jobs.restore.identity import identity_of
from jobs.restore.settings import RestoreSettings
from jobs.restore.weights import NO_WEIGHTS
from jobs.spec import JobFileError, RestoreJob, Scrubber, loads, secrets_of
from jobs.spec.canonical import canonical
from operators.gate import Gate

SECRET = "Nobody-Guesses-This"
KNOWN = {"PASS": SECRET, "OTHER": SECRET}


def text(options: str = "{}", more: str = "") -> str:
    return (
        "job: restore\nname: hide\nsource: {kind: files, uri: /in}\noutput: {uri: /out}\n"
        f"restore: {{model: anonymize, options: {options}}}\n{more}"
    )


def job(options: str = "{}", more: str = "", restore: str = "") -> RestoreJob:
    found = loads(text(options, more).replace("model: anonymize,", f"model: anonymize, {restore}"), environment=KNOWN)
    assert isinstance(found, RestoreJob)
    return found


def refused(options: str = "{}", more: str = "", restore: str = "") -> str:
    with pytest.raises(JobFileError) as caught:
        job(options, more, restore)
    return str(caught.value)


def test_what_the_file_does_not_say_hides_more() -> None:
    made = job()
    assert (made.detect.min_confidence, made.detect.min_eye_distance, made.detect.turned_confidence) == (0.5, 6.0, 0.75)
    gate = made.score.gate
    assert (gate.max_identity, gate.min_identity, gate.on_fail) == (0.3, None, "quarantine")
    assert (
        gate.max_confidence_drop is gate.min_sharpness_ratio is gate.max_niqe_rise is gate.max_brightness_shift is None
    )
    assert made.restore.oversize == "reduce"
    settings = RestoreSettings.of(made)
    assert settings.gate == Gate(settings.gate.thresholds, "quarantine")
    assert settings.guard.on_larger == "restore" and settings.detect.min_eye_distance == 6.0


def test_what_the_file_says_stays() -> None:
    made = job(more="detect: {min_confidence: 0.65}\nscore: {gate: {max_identity: 0.2, on_fail: flag}}\n")
    assert made.detect.min_confidence == 0.65 and made.detect.min_eye_distance == 6.0
    assert (made.score.gate.max_identity, made.score.gate.on_fail) == (0.2, "flag")


def test_other_jobs_keep_their_defaults_and_identity() -> None:
    plain = loads("job: restore\nname: a\nsource: {kind: files, uri: /i}\noutput: {uri: /o}\n")
    assert isinstance(plain, RestoreJob)
    assert plain.score.gate.min_identity == 0.6 and plain.detect.min_eye_distance == 16.0
    assert "max_identity" not in canonical(plain)["score"]["gate"]
    assert anonymity_of(plain) is None


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("score: {gate: {on_fail: keep_original}}\n", "on_fail"),
        ("score: {gate: {max_identity: null}}\n", "max_identity"),
        ("score: {gate: {max_identity: 0.5}}\n", "max_identity"),
        ("score: {gate: {min_identity: 0.6}}\n", "min_identity"),
        ("score: {measures: [sharpness]}\n", "measures"),
        ("score: {measures: []}\n", "measures"),
        ("detect: {aligned: true}\n", "aligned"),
        ("background: {model: x}\n", "background"),
    ],
)
def test_nothing_lets_a_face_be_seen(more: str, key: str) -> None:
    assert key in refused(more=more)


@pytest.mark.parametrize(
    "restore",
    [
        "oversize: keep,",
        "strength: 0.5,",
        "mask: landmarks,",
        "mask: parsing,",
        "max_reduction: 2,",
        "engine: {batch: 4},",
    ],
)
def test_keys_of_restorers_are_refused(restore: str) -> None:
    assert restore.split(":", maxsplit=1)[0] in refused(restore=restore)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ("{method: generated}", "prior"),
        ("{method: blur, prior: x}", "prior"),
        ("{method: generated, prior: gfpgan-1.4}", "draws no faces"),
        ("{method: blur, colour: '#000000'}", "colour"),
        ("{method: fill, colour: red}", "colour"),
        ("{method: smile}", "method"),
        ("{cell: 0.1}", "cell"),
        ("{margin: 0.9}", "margin"),
        ("{passcode_file: 's3://bucket/secret'}", "passcode_file"),
        ("{passcode: '${PASS}', passcode_file: /run/secret}", "passcode_file"),
        ("{passcode: '${UNSET}'}", "UNSET"),
    ],
)
def test_options_that_are_refused(options: str, key: str) -> None:
    assert key in refused(options)


def test_a_passcode_is_not_kept_beside_the_pictures(tmp_path: Path) -> None:
    output = loads(text("{}"), folder=tmp_path).output.uri
    for place in (f"{output}/secret", f"{output}/_facejobs/secret"):
        with pytest.raises(JobFileError, match="passcode_file: lies in the output"):
            loads(text(f"{{passcode_file: '{place}'}}"), folder=tmp_path)
    assert loads(text(f"{{passcode_file: '{output}-secret'}}"), folder=tmp_path)


@pytest.mark.parametrize("written", [SECRET, f"x{SECRET}", "${PASS}" + SECRET, "${PASS:-" + SECRET + "}"])
def test_a_passcode_in_the_file_is_refused_and_not_repeated(written: str) -> None:
    message = refused(f"{{passcode: '{written}'}}")
    assert "restore.options.passcode" in message and "${NAME}" in message
    assert SECRET not in message


def test_a_gate_of_likeness_is_for_hidden_faces_only() -> None:
    plain = text(more="score: {gate: {max_identity: 0.3}}\n").replace("model: anonymize, options: {}", "model: classic")
    with pytest.raises(JobFileError, match="max_identity"):
        loads(plain)


def test_the_passcode_is_in_no_identity_and_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KNOWN.items():
        monkeypatch.setenv(name, value)
    sealing, renamed, plain = job("{passcode: '${PASS}'}"), job("{passcode: '${OTHER}'}"), job()
    identity = identity_of(sealing, NO_WEIGHTS)
    assert identity == identity_of(renamed, NO_WEIGHTS), "where it comes from makes no other run"
    assert identity != identity_of(plain, NO_WEIGHTS), "whether there is a seal does"
    assert SECRET not in json.dumps(identity) and "passcode" not in json.dumps(identity)
    assert secrets_of(sealing) == {SECRET}
    assert Scrubber(secrets_of(sealing)).scrub(f"bad {SECRET}!") == "bad ***!"
    settings = RestoreSettings.of(sealing)
    assert settings.anonymity is not None and settings.anonymity.passcode == SECRET
    assert SECRET not in repr(settings) and SECRET not in str(sealing)


def test_a_passcode_comes_from_the_first_line_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(f"{SECRET}\nsecond line\n")
    made = loads(text("{passcode_file: secret.txt}"), folder=tmp_path)
    assert isinstance(made, RestoreJob)
    found = anonymity_of(made)
    assert found is not None and found.passcode == SECRET
    assert secrets_of(made) == {SECRET}


def test_a_job_made_by_hand_without_these_defaults_runs_nowhere() -> None:
    made = RestoreJob.model_validate(
        {
            "job": "restore",
            "name": "x",
            "source": {"kind": "files", "uri": "/in"},
            "output": {"uri": "/out"},
            "restore": {"model": "anonymize"},
        }
    )
    with pytest.raises(ValueError, match="without its defaults"):
        RestoreSettings.of(made)
