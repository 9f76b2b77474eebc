"""People are told how `facejobs run` ended: by a real webhook, by real mail, and never with a secret in sight."""

from __future__ import annotations

import json
from pathlib import Path

import apprise
import pytest

import jobs.notify.addressees
import jobs.telling
from jobs.exits import Exit
from jobs.summary.patience import Patience
from tests.jobs.small_job import SmallJob

from .servers import Kept, silent_server

TOKEN = "xq7Lp2vRt9KwZ4Yb"


def hook_url(kept: Kept) -> str:
    return f"json://127.0.0.1:{kept.port}/ops"


def test_a_webhook_is_told_what_is_in_quarantine(prints: SmallJob, hook: Kept) -> None:
    prints.write(notify={"urls": [hook_url(hook)]})
    result = prints.call("run")
    assert result.exit_code == Exit.QUARANTINED, result.output
    (post,) = hook.posts
    assert post["title"] == "facejobs prints: 1 in quarantine"
    assert post["type"] == "warning"
    assert "4 of 5 records restored or copied, 1 in quarantine" in post["message"]
    assert "not_an_image" in post["message"]
    assert f"facejobs retry {prints.path}" in post["message"]
    assert "told: notify.urls[0] (json://)" in result.stderr


@pytest.mark.parametrize(
    ("when", "broken", "first", "second"),
    [
        ("always", False, 1, 1),
        ("work", False, 1, 0),
        ("problem", False, 0, 0),
        ("problem", True, 1, 1),
        ("work", True, 1, 1),
    ],
)
def test_when_somebody_is_told(tmp_path: Path, hook: Kept, when: str, broken: bool, first: int, second: int) -> None:
    prints = SmallJob(tmp_path)
    prints.fill(broken=broken, pictures=1)
    prints.write(notify={"urls": [hook_url(hook)], "when": when})
    prints.call("run")
    assert len(hook.posts) == first
    prints.call("run")  # nothing is left to do
    assert len(hook.posts) == first + second
    if second and not broken:
        assert hook.posts[-1]["title"] == "facejobs prints: nothing to do"


def test_mail_has_a_page_and_plain_text(prints: SmallJob, post: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", TOKEN)
    url = (
        f"mailto://archivist:${{MAIL_PASSWORD}}@127.0.0.1:{post.port}"
        "?from=facejobs@museum.example&to=night@museum.example&mode=insecure"
    )
    prints.write(notify={"urls": [url]})
    result = prints.call("run")
    assert result.exit_code == Exit.QUARANTINED, result.output
    (mail,) = post.mails
    assert mail["Subject"] == "facejobs prints: 1 in quarantine"
    assert "night@museum.example" in mail["To"]
    page, plain = mail.get_body(("html",)), mail.get_body(("plain",))
    assert page is not None
    assert plain is not None
    assert "<h1" in page.get_content()
    assert "not_an_image" in page.get_content()
    assert "&lt;" not in page.get_content()  # sent as a page, and not as text that shows its own markup
    assert "1 in quarantine" in plain.get_content()
    assert post.logins == [("archivist", TOKEN)]


def test_nothing_shows_a_secret(prints: SmallJob, hook: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", f"json://ops:pa55-{TOKEN}@127.0.0.1:{hook.port}/in/{TOKEN}/go")
    written = f"json://127.0.0.1:9/T0{TOKEN[::-1]}"
    prints.write(notify={"urls": ["${HOOK}", written], "when": "always", "summary": str(tmp_path / "told")})
    hook.status = 500
    result = prints.call("run")
    assert result.exit_code == Exit.QUARANTINED, result.output
    assert len(hook.posts) == 1
    assert "notify.urls[0] (json://) could not be told" in result.stderr
    assert "notify.urls[1] (json://) could not be told" in result.stderr
    files = [
        path.read_bytes() for folder in ("out", "told") for path in (tmp_path / folder).rglob("*") if path.is_file()
    ]
    assert len(files) > 10
    for text in (result.output.encode(), *files):
        for secret in (TOKEN, TOKEN[::-1], f"pa55-{TOKEN}"):
            assert secret.encode() not in text


def test_what_a_service_says_of_its_url_is_hidden(prints: SmallJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def tells_all(self: apprise.NotifyBase, **_: object) -> bool:
        self.logger.warning("cannot reach %s with %s", self.url(privacy=False), TOKEN)
        raise OSError(f"refused: json://ops:pa55word-1@127.0.0.1:9/{TOKEN}/go and pa55word-1")

    monkeypatch.setattr(apprise.NotifyBase, "notify", tells_all)
    prints.write(notify={"urls": [f"json://ops:pa55word-1@127.0.0.1:9/{TOKEN}/go"]})
    result = prints.call("run")
    assert result.exit_code == Exit.QUARANTINED, result.output
    assert "notify.urls[0] (json://) could not be told: OSError: refused: ***" in result.stderr
    assert TOKEN not in result.output
    assert "pa55word" not in result.output


def test_a_message_that_fails_changes_nothing(prints: SmallJob, hook: Kept) -> None:
    prints.write(notify={"urls": ["json://127.0.0.1:9/", hook_url(hook)]})
    result = prints.call("run")
    assert result.exit_code == Exit.QUARANTINED, result.output
    assert "notify.urls[0] (json://) could not be told: " in result.stderr
    assert "onnection" in result.stderr
    assert len(hook.posts) == 1  # the other one was


def test_a_server_that_never_answers_is_left_behind(prints: SmallJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.telling, "USUAL", Patience(ledger=30.0, writing=30.0, sending=0.3))
    with silent_server() as silent:
        prints.write(notify={"urls": [hook_url(silent)]})
        result = prints.call("run")
    assert result.exit_code == Exit.QUARANTINED, result.output
    assert "notify.urls[0] (json://) could not be told: no answer within" in result.stderr


def test_an_error_is_told_and_keeps_its_exit_code(prints: SmallJob, hook: Kept) -> None:
    (prints.root / "out").mkdir()
    (prints.root / "out/letter.txt").write_text("somebody's")
    prints.write(notify={"urls": [hook_url(hook)]})
    result = prints.call("run")
    assert result.exit_code == Exit.CONFLICT
    assert "letter.txt" in result.stderr
    assert "Traceback" not in result.output
    (post,) = hook.posts
    assert post["title"] == "facejobs prints: another run is in the way"
    assert post["type"] == "failure"
    assert "letter.txt" in post["message"]


def test_retry_tells_as_well(prints: SmallJob, hook: Kept) -> None:
    prints.write(notify={"urls": [hook_url(hook)], "when": "work"})
    prints.call("run")
    good = (prints.root / "in/0.png").read_bytes()
    (prints.root / "in/notes.jpg").write_bytes(good)
    result = prints.call("retry", "--code", "not_an_image")
    assert result.exit_code == Exit.DONE, result.output
    assert hook.posts[-1]["title"] == "facejobs prints: done, 5 records"
    assert hook.posts[-1]["type"] == "success"
    assert "facejobs retry" in hook.posts[-1]["message"]
    assert "--code not_an_image" in hook.posts[-1]["message"]


def test_a_missing_package_is_said_before_anything_is_done(
    prints: SmallJob, hook: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.notify.addressees, "find_spec", lambda name: None)
    prints.write(notify={"urls": [hook_url(hook)]})
    valid = prints.call("validate")
    assert valid.exit_code == Exit.DONE
    assert "note: notify.urls needs the package apprise" in valid.output
    assert "facejobs[notify]" in valid.output
    result = prints.call("run")
    assert result.exit_code == Exit.BAD_JOB
    assert "facejobs[notify]" in result.stderr
    assert not (prints.root / "out").exists()
    prints.write()
    assert prints.call("run").exit_code == Exit.QUARANTINED  # nobody is to be told, so nothing is missing


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"pigeon://{TOKEN}", "notify.urls[0]: Apprise knows no 'pigeon://'"),
        (TOKEN, "notify.urls[0]: found no '://'"),
        (f"discord://{TOKEN}", "notify.urls[0]: Apprise cannot read what stands behind 'discord://'"),
    ],
)
def test_a_url_that_nobody_can_be_told_by_is_refused(prints: SmallJob, url: str, said: str) -> None:
    prints.write(notify={"urls": [url], "summary": "told"})
    for command in ("validate", "run", "notify"):
        result = prints.call(command)
        assert result.exit_code == Exit.BAD_JOB
        assert said in result.stderr
        assert TOKEN not in result.output
    assert said in json.loads((prints.root / "told/summary.json").read_text())["message"]
    assert not (prints.root / "out").exists()


def test_a_variable_that_is_not_set_is_refused_with_its_place(prints: SmallJob) -> None:
    path = prints.write(notify={"urls": ["${NO_SUCH_HOOK_ANYWHERE}"]})
    result = prints.call("validate")
    assert result.exit_code == Exit.BAD_JOB
    assert f"{path}:" in result.stderr
    assert "notify.urls[0]: the environment variable NO_SUCH_HOOK_ANYWHERE is not set" in result.stderr


def test_a_test_message(prints: SmallJob, hook: Kept, post: Kept) -> None:
    mail = f"mailto://127.0.0.1:{post.port}?from=a@museum.example&to=b@museum.example&smtp=127.0.0.1&mode=insecure"
    prints.write(notify={"urls": [hook_url(hook), mail]})
    named = prints.call("notify")
    assert named.exit_code == Exit.DONE
    assert "notify.urls[1] (mailto://): told when the exit code is not 0" in named.output
    assert hook.posts == []
    tried = prints.call("notify", "--test")
    assert tried.exit_code == Exit.DONE, tried.output
    assert hook.posts[0]["title"] == "facejobs prints: test"
    assert "Nothing was run." in hook.posts[0]["message"]
    assert "<p>" not in hook.posts[0]["message"]
    assert [mail["Subject"] for mail in post.mails] == ["facejobs prints: test"]
    assert not (prints.root / "out").exists()
    hook.status = 500
    failed = prints.call("notify", "--test")
    assert failed.exit_code == Exit.FAILED
    assert "notify.urls[0] (json://): " in failed.output
    assert "notify.urls[1] (mailto://): told" in failed.output
    prints.write()
    assert prints.call("notify", "--test").exit_code == Exit.BAD_JOB


def test_what_programs_get_is_in_the_summary_only(prints: SmallJob, hook: Kept) -> None:
    prints.write(notify={"urls": [hook_url(hook)]})
    prints.call("run")
    made = json.loads((prints.run_folder / "summary.json").read_text())
    assert made["exit"]["code"] == Exit.QUARANTINED
    assert made["headline"] in hook.posts[0]["title"]
