"""
PostgreSQL and Redis as production has them, started for tests on loopback.

Debian's PostgreSQL and Redis take TLS and passwords only; PgBouncer stands before PostgreSQL, in
transaction mode, gives each transaction the connection that rested longest, and clears it
afterwards: what a session kept is gone. `python -m tests.production COMMAND …` runs a command
with their addresses in its environment.
"""

import functools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg2
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal import engines

HOST = "127.0.0.1"
USER = "wangge"
Process = subprocess.Popen[bytes]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


def programs(version: int) -> Path:
    """Return where PostgreSQL's programs of a version lie: Debian's, or those that came with."""
    debian = Path(f"/usr/lib/postgresql/{version}/bin")
    return debian if debian.exists() else engines._postgres_programs()


@dataclass(frozen=True)
class Place:
    """A folder for servers, and the user whom they run as: some refuse root."""

    folder: Path
    user: pwd.struct_passwd | None = field(default_factory=engines._system_user)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def ca(self) -> Path:
        """The certificate of the authority."""
        return self.folder / "ca.pem"

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file that its server alone may read."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o600)
        self.give(path)
        return path

    def give(self, path: Path) -> Path:
        """Give a path to the servers' user."""
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        return path

    def run(self, *command: str | Path, **environment: str) -> None:
        """Run a program to its end."""
        subprocess.run(
            command,
            check=True,
            cwd=self.folder,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            user=self.user and self.user.pw_uid,
            group=self.user and self.user.pw_gid,
            extra_groups=[] if self.user else None,
        )

    @contextmanager
    def server(
        self, *command: str | Path, answers: Callable[[], object], by: signal.Signals
    ) -> Iterator[Process]:
        """Run a server for a block, from when it answers."""
        log = self.folder / f"{Path(command[0]).name}-{free_port()}.log"
        with log.open("wb") as said:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=functools.partial(engines.die_with_parent, by),
                user=self.user and self.user.pw_uid,
                group=self.user and self.user.pw_gid,
                extra_groups=[] if self.user else None,
            )
        with engines._stopping(process, by=by, else_by=signal.SIGKILL):
            engines._until(answers, process, log)
            yield process


@contextmanager
def place() -> Iterator[Place]:
    """Give a new place, with certificates."""
    # Not below pytest's own folder: as root, each run of pytest closes it to other users.
    with TemporaryDirectory(prefix="wangge-", ignore_cleanup_errors=True) as folder:
        here = Place(Path(folder))
        here.give(here.folder).chmod(0o755)
        certify(here)
        yield here


def certify(here: Place) -> None:
    """Make an authority, and a certificate for loopback: ca.pem, server.pem, server.key."""
    authority, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority of tests")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])

    def begun(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(issuer, name, public, x509.random_serial_number())
        return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(
            now + timedelta(days=2)
        )

    root = begun(issuer, authority.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address(HOST))]
    server = begun(subject, key.public_key()).add_extension(
        x509.SubjectAlternativeName(names), critical=False
    )
    pem = serialization.Encoding.PEM
    here.write("ca.pem", root.sign(authority, hashes.SHA256()).public_bytes(pem)).chmod(0o644)
    here.write("server.pem", server.sign(authority, hashes.SHA256()).public_bytes(pem))
    here.write(
        "server.key",
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


@contextmanager
def postgres(here: Place) -> Iterator[str]:
    """Run Debian's PostgreSQL, and give the URL of a database."""
    newest = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name))
    port, cluster = free_port(), here.folder / "postgres"
    password = here.write("password", here.password)
    here.run(
        *(newest / "initdb", "-D", cluster, "-U", USER, "-A", "scram-sha-256"),
        *(f"--pwfile={password}", "-E", "UTF8", "--locale=C.UTF-8"),
    )
    (cluster / "pg_hba.conf").write_text(
        f"hostssl all all {HOST}/32 scram-sha-256\n"
        f"hostssl replication all {HOST}/32 scram-sha-256\n"
    )
    url = f"postgres://{USER}:{here.password}@{HOST}:{port}/wangge{_verified(here)}"
    with here.server(
        *(newest / "postgres", "-D", cluster, "-p", str(port), "-k", here.folder),
        *("-c", f"listen_addresses={HOST}", "-c", "max_connections=150"),
        *("-c", "ssl=on", "-c", f"ssl_cert_file={here.folder / 'server.pem'}"),
        *("-c", f"ssl_key_file={here.folder / 'server.key'}"),
        *(f"--{setting}" for setting in engines.FASTER_THAN_SAFE),
        answers=lambda: _create_database(url),
        by=signal.SIGINT,
    ):
        yield url


@dataclass
class Standby:
    """A running copy of a PostgreSQL, and how to stop and hold it."""

    url: str
    server: ExitStack

    def hold(self) -> None:
        """Let it fall behind: it receives what happens, and shows nothing of it."""
        self._ask("SELECT pg_wal_replay_pause()")

    def go_on(self) -> None:
        """Let it catch up."""
        self._ask("SELECT pg_wal_replay_resume()")

    def _ask(self, question: str) -> None:
        with closing(psycopg2.connect(self.url)) as connection:
            connection.cursor().execute(question)


@contextmanager
def standby(here: Place, url: str, *, database: str) -> Iterator[Standby]:
    """Copy the PostgreSQL at a URL, let the copy follow it by streaming, and give it."""
    with closing(psycopg2.connect(url)) as connection:
        bin_folder = programs(connection.server_version // 10_000)
    cluster, port = here.folder / "standby", free_port()
    here.run(
        *(bin_folder / "pg_basebackup", "-D", cluster, "-X", "stream", "-c", "fast"),
        *("--no-sync", "--write-recovery-conf", "-d", url),
        HOME=str(here.folder),
    )
    (cluster / "pg_hba.conf").write_text(f"host all all {HOST}/32 trust\n")
    user = urlsplit(url).username
    copied = f"postgres://{user}@{HOST}:{port}/{database}"
    with ExitStack() as server:
        server.enter_context(
            here.server(
                *(bin_folder / "postgres", "-D", cluster, "-p", str(port)),
                *(
                    "-c",
                    f"listen_addresses={HOST}",
                    "-c",
                    f"unix_socket_directories={here.folder}",
                ),
                *("-c", "ssl=off", "-c", "hot_standby_feedback=on", "-c", "fsync=off"),
                *("-c", "max_connections=200"),
                answers=lambda: psycopg2.connect(copied).close(),
                by=signal.SIGINT,
            )
        )
        yield Standby(copied, server)


def _create_database(url: str) -> None:
    with closing(psycopg2.connect(url, dbname="postgres")) as connection:
        connection.autocommit = True
        connection.cursor().execute("CREATE DATABASE wangge")


@contextmanager
def pgbouncer(here: Place, url: str) -> Iterator[str]:
    """Run PgBouncer before PostgreSQL, in transaction mode, and give its URL."""
    port = free_port()
    users = here.write("users.txt", f'"{USER}" "{here.password}"\n')
    settings = here.write(
        "pgbouncer.ini",
        f"""
[databases]
* = host={HOST} port={urlsplit(url).port}
[pgbouncer]
listen_addr = {HOST}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
client_tls_sslmode = require
client_tls_cert_file = {here.folder / "server.pem"}
client_tls_key_file = {here.folder / "server.key"}
server_tls_sslmode = verify-full
server_tls_ca_file = {here.ca}
pool_mode = transaction
default_pool_size = 20
max_client_conn = 300
server_round_robin = 1
server_reset_query = DISCARD ALL
server_reset_query_always = 1
log_connections = 0
log_disconnections = 0
""",
    )
    pooled = url.replace(f":{urlsplit(url).port}/", f":{port}/")
    with here.server(
        *(shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", settings),
        answers=lambda: psycopg2.connect(pooled).close(),
        by=signal.SIGINT,
    ):
        yield pooled


@contextmanager
def redis_server(here: Place) -> Iterator[str]:
    """Run Debian's Redis, and give its URL."""
    port = free_port()
    with _redis(here, port):
        yield f"rediss://:{here.password}@{HOST}:{port}?ssl_ca_certs={here.ca}"


@dataclass
class Watched:
    """A master of Redis with a replica, and the Sentinels that watch them."""

    url: str
    master: Process
    master_port: int


@contextmanager
def sentinels(here: Place) -> Iterator[Watched]:
    """Run three Sentinels over a master and its replica, and give their URL."""
    ports = [free_port() for _ in range(3)]
    master_port, replica_port = free_port(), free_port()
    tls = _has_tls()
    scheme, query = ("rediss", f"ssl_ca_certs={here.ca}&") if tls else ("redis", "")
    hosts = ",".join(f"{HOST}:{port}" for port in ports)
    url = (
        f"{scheme}+sentinel://:{here.password}@{hosts}/wangge"
        f"?{query}sentinel_password={here.password}"
    )
    with ExitStack() as stack:
        follow = f"masterauth {here.password}\n"
        master = stack.enter_context(_redis(here, master_port, follow))
        stack.enter_context(
            _redis(here, replica_port, f"{follow}replicaof {HOST} {master_port}\n")
        )
        for port in ports:
            watch = f"""
sentinel monitor wangge {HOST} {master_port} 2
sentinel auth-pass wangge {here.password}
sentinel sentinel-pass {here.password}
sentinel down-after-milliseconds wangge 1000
sentinel failover-timeout wangge 5000
"""
            stack.enter_context(_redis(here, port, watch, "--sentinel"))
        yield Watched(url, master, master_port)


@contextmanager
def _redis(here: Place, port: int, more: str = "", *options: str) -> Iterator[Process]:
    tls = _has_tls()
    lines = f"""
bind {HOST}
port {0 if tls else port}
requirepass {here.password}
dir {here.folder}
"""
    if tls:
        lines += f"""
tls-port {port}
tls-cert-file {here.folder / "server.pem"}
tls-key-file {here.folder / "server.key"}
tls-ca-cert-file {here.ca}
tls-auth-clients no
tls-replication yes
"""
    if not options:
        lines += 'save ""\n'
    settings = here.write(f"redis-{port}.conf", lines + more)
    with (
        redis.Redis(
            host=HOST, port=port, password=here.password, ssl=tls, ssl_ca_certs=str(here.ca)
        ) as client,
        here.server(
            _redis_program(), settings, *options, answers=client.ping, by=signal.SIGTERM
        ) as server,
    ):
        yield server


def _has_tls() -> bool:
    """Return whether there is Debian's Redis: the one that comes with the portal has no TLS."""
    return shutil.which("redis-server") is not None


def _redis_program() -> Path:
    return Path(shutil.which("redis-server") or engines._valkey_program())


def _verified(here: Place) -> str:
    return f"?sslmode=verify-full&sslrootcert={here.ca}"


def main() -> int:
    """Run a command between the servers, and return how it ended."""
    with ExitStack() as stack:
        here = stack.enter_context(place())
        direct = stack.enter_context(postgres(here))
        environment = {
            "TESTS_DATABASE_URL": direct,
            "DATABASE_URL": stack.enter_context(pgbouncer(here, direct)),
            "REDIS_URL": stack.enter_context(redis_server(here)),
        }
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        command = stack.enter_context(
            subprocess.Popen(sys.argv[1:], env={**os.environ, **environment})
        )
        stack.callback(command.terminate)
        return command.wait()


if __name__ == "__main__":
    sys.exit(main())
