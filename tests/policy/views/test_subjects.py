"""The history of a subject, as people read it."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Role
from policy import services
from policy.engine.documents.schema import SUBJECTS
from policy.views.subjects import history
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(factories.make_user(Role.AUDITOR))
    return client


class TestTheHistoryOfASubject:
    @pytest.mark.parametrize("subject", SUBJECTS)
    def test_names_each_clause_that_speaks_on_it(self, reader: Client, subject: str) -> None:
        page = reader.get(reverse("subject_detail", args=[subject])).content.decode()

        for document in services.library().documents.values():
            for provision in document.provisions:
                if provision.subject == subject:
                    address = reverse("document_detail", args=[document.id])
                    assert f"{address}#clause-{provision.clause}" in page

    def test_goes_by_the_day_in_force(self) -> None:
        days = [
            station.document.in_force_from
            for station in history(services.library(), "close_contacts")
        ]

        assert days == sorted(days)
        assert len(days) == len(services.library().documents)

    def test_says_who_speaks_for_a_silent_document(self) -> None:
        speakers = {
            station.document.id: station.speaker.id if station.speaker else None
            for station in history(services.library(), "close_contacts")
        }

        assert speakers["yingkou-2022-11"] == "cn-2022-101"
        assert speakers["fujian-2022-12"] is None

    def test_is_not_there_for_an_unknown_subject(self, reader: Client) -> None:
        assert reader.get(reverse("subject_detail", args=["weather"])).status_code == 404
