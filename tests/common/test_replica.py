"""Lists and overviews read from a real copy that follows by streaming, or from the database."""

from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg2
import pytest
from django.conf import settings as settings_of_django
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.test import Client
from django.urls import reverse
from environ import Env
from pytest_django import Settings

from accounts.auditing.models import AuditEntry
from common import replica
from portal import servers
from residents.register.models import Resident
from tests import production
from tests.factories import make_grid, make_resident, make_user
from tests.faults.stage import wait_until
from tests.patience import SECONDS
from tests.settings import DIRECT_URL

ALIASES = [DEFAULT_DB_ALIAS, replica.ALIAS]
pytestmark = pytest.mark.django_db(transaction=True, databases=ALIASES)
PAGES = ("dashboard", "arrival_list", "resident_list", "case_list", "key_people", "worker_list")


@pytest.fixture(scope="module", autouse=True)
def copy(django_db_setup: None) -> Iterator[production.Standby]:
    """Run a copy of the tests' own PostgreSQL, of which the portal knows."""
    name = str(connection.settings_dict["NAME"])
    with (
        production.place() as here,
        production.standby(here, DIRECT_URL, database=name) as copy,
        pytest.MonkeyPatch.context() as patched,
    ):
        setting = {**connection.settings_dict, **servers.replica(Env(), copy.url)}
        patched.setitem(settings_of_django.DATABASES, replica.ALIAS, setting)
        patched.setitem(connections.settings, replica.ALIAS, setting)
        yield copy
        connections[replica.ALIAS].close()
        del connections[replica.ALIAS]


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test know what an earlier one found of the copy."""
    monkeypatch.setattr(replica, "_away_until", 0.0)


@pytest.fixture
def other_copy(copy: production.Standby) -> Iterator[Callable[[dict[str, object]], None]]:
    """Give a function that changes where the portal looks for the copy."""
    here = connections[replica.ALIAS]
    before = dict(here.settings_dict)

    def change(setting: dict[str, object]) -> None:
        here.close()
        here.settings_dict.update(setting)

    yield change
    here.close()
    here.settings_dict.update(before)


def caught_up(copy: production.Standby) -> bool:
    """Return whether the copy holds all that was committed up to now."""
    _, position = replica._position()
    with closing(psycopg2.connect(copy.url)) as asked, asked.cursor() as cursor:
        cursor.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position])
        return bool(cursor.fetchone()[0])


@pytest.fixture
def client() -> Client:
    """Sign in a supervisor of a grid with one resident."""
    grid = make_grid()
    make_resident(grid=grid, name="赵一")
    client = Client()
    client.force_login(make_user("supervisor", grid))
    return client


def comes_from_copy(client: Client, page: str = "resident_list") -> bool:
    """Return whether a page says of when its data are."""
    answer = client.get(reverse(page))
    assert answer.status_code == 200
    return answer.context["read_as_of"] is not None


class TestACopyThatIsNear:
    @pytest.mark.parametrize("shown", PAGES)
    def test_is_read_for_lists_and_overviews(
        self, copy: production.Standby, client: Client, shown: str
    ) -> None:
        wait_until(lambda: caught_up(copy), seconds=SECONDS)

        assert comes_from_copy(client, shown)

    def test_is_said_on_the_page(self, copy: production.Standby, client: Client) -> None:
        wait_until(lambda: caught_up(copy), seconds=SECONDS)

        page = client.get(reverse("resident_list"))
        assert "数据截至" in page.content.decode()
        assert "赵一" not in page.content.decode()  # names are masked as ever
        assert "赵" in page.content.decode()

    def test_is_not_read_where_something_is_done(
        self, copy: production.Standby, client: Client
    ) -> None:
        wait_until(lambda: caught_up(copy), seconds=SECONDS)

        assert (
            client.post(reverse("resident_list"), {"text": "赵一"}).context["read_as_of"] is None
        )
        assert not comes_from_copy(client, "inbox")

    def test_takes_no_writing(self, copy: production.Standby, client: Client) -> None:
        entries = AuditEntry.objects.count()
        wait_until(lambda: caught_up(copy), seconds=SECONDS)

        assert comes_from_copy(client)
        assert AuditEntry.objects.count() == entries + 1  # who was shown is written down


class TestACopyThatIsBehind:
    @pytest.fixture(autouse=True)
    def held(self, copy: production.Standby, client: Client) -> Iterator[None]:
        """Hold the copy after it has all; what happens from now on it does not show."""
        wait_until(lambda: caught_up(copy), seconds=SECONDS)
        copy.hold()
        yield
        copy.go_on()
        wait_until(lambda: caught_up(copy), seconds=SECONDS)

    def test_is_read_as_long_as_it_is_near_enough(
        self, client: Client, settings: Settings
    ) -> None:
        settings.REPLICA_LAG_SECONDS = 3_600
        make_resident(grid=Resident.objects.get().grid, name="钱二")

        page = client.get(reverse("resident_list"))
        assert page.context["total"] == 1
        assert page.context["read_as_of"] is not None

    def test_is_not_read_beyond_the_limit(self, client: Client, settings: Settings) -> None:
        settings.REPLICA_LAG_SECONDS = 0
        make_resident(grid=Resident.objects.get().grid, name="钱二")

        page = client.get(reverse("resident_list"))
        assert page.context["total"] == 2
        assert page.context["read_as_of"] is None

    def test_is_not_read_by_who_did_something_it_does_not_hold(
        self, client: Client, settings: Settings
    ) -> None:
        settings.REPLICA_LAG_SECONDS = 3_600
        other = Client()
        other.force_login(client.get(reverse("resident_list")).context["user"])
        resident = Resident.objects.get()
        client.post(reverse("resident_list"), {"text": resident.number})

        assert not comes_from_copy(client)
        assert comes_from_copy(other)

    def test_is_not_read_by_who_saw_something_it_does_not_hold(
        self, client: Client, settings: Settings
    ) -> None:
        settings.REPLICA_LAG_SECONDS = 3_600
        make_resident(grid=Resident.objects.get().grid, name="钱二")
        assert client.get(reverse("inbox")).status_code == 200

        assert client.get(reverse("resident_list")).context["total"] == 2


class TestWithoutACopy:
    def test_the_database_itself_is_read(
        self, client: Client, other_copy: Callable[[dict[str, object]], None]
    ) -> None:
        other_copy(servers.replica(Env(), "postgres://nobody@127.0.0.1:1/none"))

        assert not comes_from_copy(client)
        assert replica._away_until > 0

    def test_a_copy_that_breaks_off_is_left_for_the_database_itself(
        self, copy: production.Standby, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wait_until(lambda: caught_up(copy), seconds=SECONDS)
        usable: Callable[..., object] = replica._usable_as_of

        def and_breaks_off(request: object) -> object:
            as_of = usable(request)
            with closing(psycopg2.connect(copy.url)) as asked:
                asked.cursor().execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
            return as_of

        monkeypatch.setattr(replica, "_usable_as_of", and_breaks_off)

        assert not comes_from_copy(client)
        assert replica._away_until > 0

    def test_that_is_a_database_of_its_own_is_never_read(
        self, client: Client, other_copy: Callable[[dict[str, object]], None]
    ) -> None:
        other_copy(dict(connection.settings_dict))

        assert not comes_from_copy(client)


def test_a_mark_that_somebody_made_up_is_no_mark(copy: production.Standby, client: Client) -> None:
    wait_until(lambda: caught_up(copy), seconds=SECONDS)
    client.cookies[replica.MARK] = "0/0'; DROP TABLE"

    assert comes_from_copy(client)
