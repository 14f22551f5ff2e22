"""
The addresses of PostgreSQL and Redis, as Django and Celery take them.

Redis is named by one URL, which the broker (database 0) and the cache (database 1) share:

    redis://[user]:password@host:6379
    rediss://[user]:password@host:6379?ssl_ca_certs=/etc/ssl/ca.pem            TLS
    redis+sentinel://[user]:password@one:26379,two:26379/NAME                  NAME's master
    rediss+sentinel://…/NAME?ssl_ca_certs=/etc/ssl/ca.pem&sentinel_password=…  TLS to both
    unix:///run/redis.sock

What stands behind `ssl_` goes to redis-py as it is; without it a certificate must hold for its
host by the certificate authorities of the system.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import environ
import redis
from redis.sentinel import Sentinel, SentinelConnectionPool

# A server that has vanished must not hold up pages.
PATIENCE = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}
SENTINEL_PORT = 26379
REPLICA_PATIENCE = {"connect_timeout": 2, "tcp_user_timeout": 5_000}
CACHE, BROKER = 1, 0
TLS = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}


@dataclass(frozen=True)
class Broker:
    """The broker's address and options, as Celery takes them."""

    url: str
    options: dict[str, Any] = field(default_factory=dict)
    tls: dict[str, Any] | None = None


def database(env: environ.Env, url: str) -> dict[str, Any]:
    """Return the setting of PostgreSQL; what stands behind the `?` goes to libpq."""
    return {
        **env.db_url_config(url),
        "ENGINE": "common.postgresql",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }


def replica(env: environ.Env, url: str) -> dict[str, Any]:
    """Return the setting of a copy of it, which nobody waits for."""
    setting = database(env, url)
    setting["OPTIONS"] = {**REPLICA_PATIENCE, **setting.get("OPTIONS", {})}
    return setting


def cache(url: str, *, database: int = CACHE) -> dict[str, Any]:
    """Return where a cache lies, as `CACHES` says it; a list, for a text is split at commas."""
    options = {} if url.startswith("unix:") else PATIENCE
    pool_class = "portal.servers.ConnectionsByAddress"
    return {
        "LOCATION": [url],
        "OPTIONS": {"pool_class": pool_class, "db": database, **options},
    }


def broker(url: str) -> Broker:
    """Return the setting of the broker."""
    if url.startswith("unix:"):
        return Broker(f"redis+socket:{url.removeprefix('unix:')}?virtual_host={BROKER}")
    if "+sentinel:" in url:
        return _broker_of_sentinels(_Sentinels.of(url))
    if url.startswith("rediss:"):
        address = urlsplit(url)
        bare = address._replace(query="", path=f"/{BROKER}").geturl()
        return Broker(bare, tls=_tls(dict(parse_qsl(address.query))))
    return Broker(url)


class ConnectionsByAddress:
    """What Django asks for as `pool_class`: connections, by any of the addresses."""

    @staticmethod
    def from_url(url: str, **options: Any) -> redis.ConnectionPool:
        """Return the connections to a Redis, or to the master that Sentinels name."""
        if "+sentinel:" in url:
            return _Sentinels.of(url).pool(**options)
        return redis.ConnectionPool.from_url(url, **options)


def client(url: str) -> redis.Redis:
    """Return a client of the broker's database."""
    return redis.Redis(connection_pool=ConnectionsByAddress.from_url(url, db=BROKER))


@dataclass(frozen=True)
class _Sentinels:
    """Sentinels, and whose master they are asked for."""

    hosts: list[tuple[str, int]]
    name: str
    login: dict[str, str]
    own_login: dict[str, str]
    tls: dict[str, Any] | None

    @classmethod
    def of(cls, url: str) -> "_Sentinels":
        """
        Read an address.

        Raises ValueError where no name of a master is given.
        """
        address = urlsplit(url)
        login, _, hosts = address.netloc.rpartition("@")
        user, _, password = login.partition(":")
        query = dict(parse_qsl(address.query))
        name = address.path.strip("/")
        if not name:
            raise ValueError("REDIS_URL names Sentinels, but not whose master: end it in /NAME.")
        own_login = {
            key: query[f"sentinel_{key}"]
            for key in ("username", "password")
            if f"sentinel_{key}" in query
        }
        return cls(
            [_host(each) for each in hosts.split(",")],
            name,
            _without_empty(username=unquote(user), password=unquote(password)),
            own_login,
            _tls(query) if address.scheme == "rediss+sentinel" else None,
        )

    @property
    def for_themselves(self) -> dict[str, Any]:
        """What a connection to a Sentinel is opened with."""
        tls = {"ssl": True, **self.tls} if self.tls else {}
        return {**self.own_login, **tls, **PATIENCE}

    def asked(self) -> Sentinel:
        """Return who is asked for the master."""
        return Sentinel(self.hosts, sentinel_kwargs=self.for_themselves)  # type: ignore[no-untyped-call]

    def pool(self, **options: Any) -> redis.ConnectionPool:
        """Return the connections to the master of the moment."""
        tls = {"ssl": True, **self.tls} if self.tls else {}
        pool: redis.ConnectionPool = SentinelConnectionPool(  # type: ignore[no-untyped-call]
            self.name, self.asked(), **{**self.login, **tls, **options}
        )
        return pool


def _broker_of_sentinels(sentinels: _Sentinels) -> Broker:
    user, password = (
        quote(sentinels.login.get(key, ""), safe="") for key in ("username", "password")
    )
    login = f"{user}:{password}@" if sentinels.login else ""
    return Broker(
        ";".join(
            f"sentinel://{login}{_bracketed(host)}:{port}/{BROKER}"
            for host, port in sentinels.hosts
        ),
        {"master_name": sentinels.name, "sentinel_kwargs": sentinels.for_themselves},
        sentinels.tls,
    )


def _host(text: str) -> tuple[str, int]:
    address = urlsplit(f"//{text}")
    return address.hostname or "", address.port or SENTINEL_PORT


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _tls(query: dict[str, str]) -> dict[str, Any]:
    given = {key: value for key, value in query.items() if key.startswith("ssl_")}
    if "ssl_check_hostname" in given:
        return {**TLS, **given, "ssl_check_hostname": given["ssl_check_hostname"] != "false"}
    return {**TLS, **given}


def _without_empty(**values: str) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}
