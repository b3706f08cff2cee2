"""Children that were forked are as good as fresh ones, and leave nothing behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from telling import tell

from denobench.engine.workers import nursery
from denobench.engine.workers.child import Child, ChildDiedError

pytestmark = pytest.mark.skipif(not nursery.AVAILABLE, reason="forks are for Linux")


@pytest.fixture
def children(tmp_path: Path) -> Iterator[list[Child]]:
    """Return two children, started one after the other."""
    found = [Child(tell, threads=1, plugins=(), log=tmp_path / "log") for _ in range(2)]
    yield found
    for child in found:
        child.kill()
    nursery.end()


def test_each_is_like_a_fresh_one(children: list[Child], tmp_path: Path) -> None:
    """They have one parent, each its own chance and garbage, and no open file of each other's."""
    one, two = (child.receive(60) for child in children)
    assert one["parent"] == two["parent"] != os.getpid()
    assert one["random"] != two["random"]
    assert one["open"] == two["open"]
    assert {one["collects"], two["collects"]} == {True}


def test_surroundings_are_those_of_its_start(
    children: list[Child], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has changed since the process that forks was started, a child sees."""
    assert children[0].receive(60)["variable"] is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DENOBENCH_TEST", "here")
    with Child(tell, threads=1, plugins=(), log=tmp_path / "log") as third:
        seen = third.receive(60)
    assert (seen["variable"], seen["folder"]) == ("here", str(tmp_path))


def test_its_end_is_told(children: list[Child]) -> None:
    """Exit codes and signals are those of the child."""
    for child in children:
        child.receive(60)
    children[0].connection.send("exit")
    with pytest.raises(ChildDiedError, match="exit code 7"):
        children[0].receive(60)
    os.kill(children[1].pid, signal.SIGTERM)
    with pytest.raises(ChildDiedError, match="SIGTERM"):
        children[1].receive(60)


def test_where_children_come_from_may_die(children: list[Child], tmp_path: Path) -> None:
    """Its children die with it, and the next one is asked for elsewhere."""
    parent = children[0].receive(60)["parent"]
    os.kill(parent, signal.SIGKILL)
    with pytest.raises(ChildDiedError, match="SIGKILL"):
        children[0].receive(60)
    with Child(tell, threads=1, plugins=(), log=tmp_path / "log") as third:
        assert third.receive(60)["parent"] != parent


def test_an_interrupted_question_gets_no_wrong_answer(
    children: list[Child], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C in the middle of a question all children end, and others come from elsewhere."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    parent = children[0].receive(60)["parent"]
    with monkeypatch.context() as patch:
        patch.setattr(nursery, "send_handle", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Child(tell, threads=1, plugins=(), log=tmp_path / "log")
    with pytest.raises(ChildDiedError, match="SIGKILL"):
        children[0].receive(60)
    with Child(tell, threads=1, plugins=(), log=tmp_path / "log") as third:
        assert third.receive(60)["parent"] != parent


def test_nothing_is_left(children: list[Child]) -> None:
    """What a child has started in a session of its own ends at the latest with the last child."""
    parent = psutil.Process(children[0].receive(60)["parent"])
    children[0].connection.send("leave")
    children[0].receive(60)
    left = [p for p in parent.children() if p.pid not in {child.pid for child in children}]
    assert len(left) == 1
    for child in children:
        child.kill()
    _, alive = psutil.wait_procs(left, timeout=60)
    assert not alive
    nursery.end()
    assert not parent.is_running()


def test_it_ends_by_itself(children: list[Child], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without children, and asked for nothing, it ends after a while."""
    parent = psutil.Process(children[0].receive(60)["parent"])
    for child in children:
        child.kill()
    _, alive = psutil.wait_procs([parent], timeout=60)
    assert not alive
