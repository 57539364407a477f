"""Whoever asks a server, for tests."""

import http.client
import json


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
