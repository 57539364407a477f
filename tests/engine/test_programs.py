"""The table of compiled programs, used by several threads at once."""

import threading

from thalweg.engine import _program


def test_threads_share_a_program_and_let_old_ones_go(monkeypatch):
    monkeypatch.setattr(_program, "_MOST", 3)
    monkeypatch.setattr(_program, "_programs", type(_program._programs)())
    wrong = []

    def make():
        return lambda x: x

    def work():
        try:
            for k in range(2000):
                assert not _program.program_of(make, key=k % 5).traces
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not wrong and len(_program.compiled()) == 3


def test_one_program_is_made_once(monkeypatch):
    monkeypatch.setattr(_program, "_programs", type(_program._programs)())
    found, barrier = [], threading.Barrier(4)

    def make():
        return lambda x: x

    def work():
        barrier.wait()
        found.append(_program.program_of(make, key="the same"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 4 and len(set(map(id, found))) == 1
