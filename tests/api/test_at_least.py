"""Reads that wait for an entry which another node answered with, and what every answer says of when it is."""

import re
import threading
import time

import httpx2
import pytest
from tests.api.conftest import Server

from hansa.client.governance import API_VERSION


@pytest.fixture
def patient(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("patient") / "ledger", {"hansa.api.server._STOP_S": 1})
    yield started
    started.stop()


def test_every_answer_says_as_of_what_it_is(server, client):
    members = f"/gov/service/members?api-version={API_VERSION}"
    for path in ("/app/contracts", "/node/status", members, "/app/entries/99999"):
        answer = client.get(path)
        assert int(answer.headers["hansa-entries"]) == server.entries()
        size, root = re.fullmatch(r"(\d+) ([0-9a-f]{64})", answer.headers["hansa-checkpoint"]).groups()
        head = client.get("/app/checkpoints/latest").json()
        assert (int(size), root) == (head["size"], head["root"])


def test_an_entry_that_is_there_is_not_waited_for(server, client):
    last = server.entries() - 1
    assert client.get(f"/app/contracts?at_least={last}").status_code == 200
    assert client.get(f"/gov/service/members?api-version={API_VERSION}&at_least={last}").status_code == 200


def test_an_entry_that_does_not_come_is_said_so(server, client):
    answer = client.get(f"/app/contracts?at_least={server.entries()}")
    assert (answer.status_code, answer.json()["code"]) == (503, "read.behind")
    assert answer.headers["retry-after"] == "1"
    assert client.get("/app/contracts?at_least=x").json()["code"] == "request.query"
    assert client.get("/app/events?follow=false&at_least=0").json()["code"] == "request.query"


def test_a_linear_read_of_one_process_is_one_of_its_own(client):
    assert client.get("/app/contracts?consistency=linear").status_code == 200
    assert client.get("/app/contracts?consistency=local").status_code == 200
    assert client.get("/app/contracts?consistency=other").json()["code"] == "request.query"


def test_an_answer_waits_for_the_entry(patient):
    """The second entry from here on: the first one alone does not end the wait."""
    seq = patient.entries() + 1
    answers = []

    def ask():
        answers.append(httpx2.get(f"{patient.url}/app/entries/{seq}?at_least={seq}", timeout=30))

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.2)
    patient.submit(patient.prepare())
    time.sleep(0.2)
    assert not answers
    patient.submit(patient.prepare())
    asking.join()
    assert answers[0].status_code == 200
    assert answers[0].json()["seq"] == seq
