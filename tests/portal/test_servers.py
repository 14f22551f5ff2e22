"""The addresses of PostgreSQL and Redis: read right, and answered from by real servers."""

from collections.abc import Iterator
from typing import Any

import environ
import pytest
import redis
from celery import Celery
from django.conf import settings
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from kombu import Connection

from portal import engines, servers
from tests import production
from tests.faults.stage import wait_until
from tests.patience import SECONDS

SENTINELS = "redis+sentinel://us%3Aer:p%40ss@one:26380,two,[::1]:26381/master"


def _cache(url: str) -> RedisCache:
    setting = servers.cache(url)
    made: RedisCache = RedisCache(setting["LOCATION"], {"OPTIONS": dict(setting["OPTIONS"])})
    return made


def _broker(url: str) -> Connection:
    broker = servers.broker(url)
    app = Celery(broker=broker.url, set_as_current=False)
    app.conf.broker_transport_options = broker.options
    app.conf.broker_use_ssl = broker.tls
    return app.connection_for_write()


def passes_messages(url: str) -> bool:
    """Return whether a broker takes a message and gives it back."""
    with _broker(url) as broker, broker.SimpleQueue("of-tests") as queue:
        queue.put({"said": "你好"})
        message = queue.get(timeout=SECONDS)
        message.ack()
        return bool(message.payload == {"said": "你好"})


@pytest.fixture(scope="module")
def watched() -> Iterator[production.Watched]:
    """Run a master of Redis with a replica and three Sentinels."""
    with production.place() as here, production.sentinels(here) as watched:
        yield watched


@pytest.mark.pure
class TestTheAddressOfTheBroker:
    def test_of_a_plain_redis_is_its_own(self) -> None:
        assert servers.broker("redis://cache:6379") == servers.Broker("redis://cache:6379")

    def test_of_a_socket_is_as_celery_spells_it(self) -> None:
        assert servers.broker("unix:///run/x.sock").url == (
            "redis+socket:///run/x.sock?virtual_host=0"
        )

    def test_asks_for_a_certificate_that_holds_for_the_host(self) -> None:
        broker = servers.broker("rediss://:geheim@cache:6379?ssl_ca_certs=/ca.pem")

        assert broker.url == "rediss://:geheim@cache:6379/0"
        assert broker.tls == {
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_ca_certs": "/ca.pem",
        }

    def test_names_each_sentinel_with_the_login_of_the_master(self) -> None:
        broker = servers.broker(SENTINELS)

        login = "us%3Aer:p%40ss"
        assert broker.url.split(";") == [
            f"sentinel://{login}@one:26380/0",
            f"sentinel://{login}@two:26379/0",
            f"sentinel://{login}@[::1]:26381/0",
        ]
        assert broker.options["master_name"] == "master"

    def test_of_sentinels_without_a_name_is_refused(self) -> None:
        with pytest.raises(ValueError, match="end it in /NAME"):
            servers.broker("redis+sentinel://one:26379,two:26379")


@pytest.mark.pure
class TestTheAddressOfThePostgresql:
    def test_passes_on_what_libpq_is_to_verify(self) -> None:
        url = "postgres://u:p@db:6432/wangge?sslmode=verify-full&sslrootcert=/ca.pem"

        options = servers.database(environ.Env(), url)["OPTIONS"]
        assert options == {"sslmode": "verify-full", "sslrootcert": "/ca.pem"}

    def test_of_a_copy_waits_for_nobody(self) -> None:
        options = servers.replica(environ.Env(), "postgres://copy/wangge")["OPTIONS"]

        assert 0 < int(options["connect_timeout"]) <= 5


@pytest.mark.usefixtures("django_db_setup")
class TestTheServersOfTheTests:
    """In .ci/run they take TLS and passwords only."""

    def test_keep_what_the_cache_is_given(self) -> None:
        cache.set("key", "值")
        assert cache.get("key") == "值"

    def test_pass_messages(self) -> None:
        assert passes_messages(settings.REDIS_URL)


@pytest.mark.usefixtures("django_db_setup")
class TestSentinels:
    def test_lead_to_the_next_master_when_one_dies(self, watched: production.Watched) -> None:
        kept = _cache(watched.url)
        wait_until(lambda: _settled(watched.url), seconds=SECONDS)
        kept.set("key", "before")
        assert passes_messages(watched.url)

        watched.master.kill()

        wait_until(lambda: _works(kept), seconds=SECONDS)
        assert passes_messages(watched.url)
        engines.check_versions(settings.DATABASE_URL, watched.url)

    def test_tell_nothing_without_their_password(self, watched: production.Watched) -> None:
        without = watched.url.partition("sentinel_password")[0]

        with pytest.raises(redis.RedisError):
            _cache(without).get("key")


def _settled(url: str) -> bool:
    """Return whether Sentinels know each other and a replica that could take over."""
    master: Any = servers._Sentinels.of(url).asked().sentinels[0].sentinel_master("wangge")
    return bool(master["num-other-sentinels"] == 2 and master["num-slaves"] == 1)


def _works(kept: RedisCache) -> bool:
    try:
        kept.set("key", "after")
    except redis.RedisError:
        return False
    return bool(kept.get("key") == "after")
