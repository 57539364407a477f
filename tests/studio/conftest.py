"""A server on a folder of runs, and whoever asks it."""

import http.client
import json

import numpy as np
import pytest

import thalweg
from thalweg import layers

pytest.importorskip("starlette")

from thalweg.studio._house import House
from thalweg.studio._server import Server

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.int32)


def net():
    model = thalweg.Sequential(
        [thalweg.Input((3,)), layers.Dense(4, "relu", kernel_regularizer="l2"), layers.Dropout(0.2), layers.Dense(2, "softmax")]
    )  # fmt: skip
    model.compile(thalweg.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture
def runs(tmp_path):
    """A folder with two runs, one of a hostile name."""
    for name in ("first", "deep/<b>second<b>"):
        net().fit(X, Y, epochs=3, verbose=0, seed=0, validation_split=0.25, run=tmp_path / "runs" / name)
    return tmp_path / "runs"


@pytest.fixture
def server(runs):
    """Of its own; listening."""
    found = Server(House(runs))
    found.start()
    yield found
    found.stop()


class Client:
    """Speaks HTTP to a server, with whatever headers."""

    def __init__(self, server):
        self.server = server

    def ask(self, method, path, body=None, **headers):
        given = {"Authorization": f"Bearer {self.server.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            sent = {name: value for name, value in given.items() if value is not None}
            connection.putrequest(method, path, skip_host="Host" in sent)
            for name, value in sent.items():
                connection.putheader(name, value)
            data = b"" if body is None else json.dumps(body).encode()
            if data:
                connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data or None)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, dict(answer.getheaders()), text
        finally:
            connection.close()

    def json(self, method, path, body=None):
        status, _, text = self.ask(method, path, body)
        return status, json.loads(text)


@pytest.fixture
def client(server):
    return Client(server)
