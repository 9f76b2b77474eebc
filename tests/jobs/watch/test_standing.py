"""Quarantine, counted in whatever order commits come."""

from __future__ import annotations

import random
from collections import Counter

from jobs.watch.standing import EXAMPLES, NEWEST, Standing
from pipeline.ledger import Commit, Quarantined


def commit(round_: int, unit: int, rows: list[Quarantined]) -> Commit:
    finished = f"2026-03-{1 + round_:02d}T{unit // 60:02d}:{unit % 60:02d}:00+00:00"
    return Commit(
        f"{round_}-{unit}", unit, round_, 1, "t", len(rows), 0, tuple(rows), 0, 0, (), {}, {}, finished, finished
    )


def test_any_order_of_commits_gives_the_same(tmp_path: object) -> None:
    draw = random.Random(3)
    for _ in range(20):
        standing_rows: dict[str, str] = {}
        events: list[tuple[Commit, list[str]]] = []
        for unit in range(8):
            rows = [
                Quarantined(f"{unit}/{n}", "", draw.choice("abc"), "m", "decode") for n in range(draw.randint(0, 5))
            ]
            standing_rows.update({row.key: row.code for row in rows})
            events.append((commit(0, unit, rows), []))
        for round_ in (1, 2, 3):
            keys = draw.sample(sorted(standing_rows), min(6, len(standing_rows)))
            stuck = [Quarantined(key, "", draw.choice("abcd"), "m", "decode") for key in keys if draw.random() < 0.5]
            for key in keys:
                del standing_rows[key]
            standing_rows.update({row.key: row.code for row in stuck})
            events.append((commit(round_, 0, stuck), keys))
        draw.shuffle(events)
        seen = Standing()
        for one, keys in events:
            seen.add(one)
            if keys:
                seen.take(keys, one.round)
        assert seen.codes() == Counter(standing_rows.values())
        assert {kept.row.key: kept.row.code for kept in seen.newest()} == standing_rows
        assert all(standing_rows[kept.row.key] == code for code, kept in seen.examples().items())


def test_what_the_plan_found_wrong_stays(tmp_path: object) -> None:
    seen = Standing()
    row = Quarantined("a", "", "duplicate_name", "m", "plan")
    seen.add(commit(0, 0, [row, Quarantined("a", "", "truncated", "m", "decode")]))
    seen.add(commit(1, 0, []))
    seen.take(["a"], 1)
    assert seen.codes() == {"duplicate_name": 1}
    assert [kept.row for kept in seen.newest()] == [row]


def test_few_rows_are_kept_whole_however_many_there_are(tmp_path: object) -> None:
    seen = Standing()
    for unit in range(120):
        seen.add(commit(0, unit, [Quarantined(f"{unit}", "", "truncated", "m", "decode")]))
    assert seen.codes() == {"truncated": 120}
    assert [kept.row.key for kept in seen.newest()] == [str(unit) for unit in range(119, 119 - NEWEST, -1)]
    assert seen.examples()["truncated"].row.key == "119"
    assert EXAMPLES < NEWEST
