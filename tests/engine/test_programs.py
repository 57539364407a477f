"""The table of compiled programs, used by several threads at once."""

import threading

from thalweg.engine import _program


def test_threads_share_a_program_and_let_old_ones_go(monkeypatch):
    monkeypatch.setattr(_program, "_MOST", 3)
    monkeypatch.setattr(_program, "_programs", type(_program._programs)())
    made, wrong = [], []

    def make(i):
        made.append(i)
        return lambda x: x + i

    def work():
        try:
            for k in range(400):
                assert _program.program_of(make, k % 5, key=k % 5)(1) == 1 + k % 5
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

    def work():
        barrier.wait()
        found.append(_program.program_of(lambda: lambda x: x, key="the same"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 4
