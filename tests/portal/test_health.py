"""Whether a process is well is told to whoever asks, without signing in."""

import pytest
from django.test import Client


@pytest.mark.django_db
@pytest.mark.usefixtures("unhurried")
class TestHealth:
    def test_is_good_while_the_engines_answer(self, client: Client) -> None:
        answer = client.get("/healthz", headers={"accept": "text/plain"})
        assert answer.status_code == 200
        assert answer.text.count(": OK") == 2

    def test_is_bad_while_no_worker_answers(self, client: Client) -> None:
        answer = client.get("/healthz/worker", headers={"accept": "text/plain"})
        assert answer.status_code == 500
        assert "Celery workers unavailable" in answer.text
