"""
What somebody with all rights in the database may do to what the audit rests on.

Each tampering is done behind the backs of all triggers, or in front of the witness, on rows that
services made, and taken back; it returns where it must be found: a table with a row, and the
chain with a link.
"""

# ruff: noqa: S608 - names of our own tables, and tampering

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import Error, connection, transaction

from accounts import services as accounts
from accounts.auditing import audit, chain, witness
from accounts.auditing.chain import ChainFinding
from accounts.auditing.models import AuditLink
from accounts.exports import ledger, requests
from accounts.keys import keyring
from accounts.proposals.models import AccountProposal
from accounts.staff.models import Area, Role, User
from accounts.voices.models import Intervention
from policy import drafts
from policy.activations import choices, decisions
from policy.models import Justification
from policy.questions import clients
from portal.retention import closing, purging, terms
from residents.openings import services as openings
from testing.models import Sample
from tests.factories import NOW, make_community, make_grid, make_resident, make_user, moment
from tests.tries import tried

LINKS = AuditLink._meta.db_table
RESIDENTS = "residents_resident"
AT = datetime(2022, 12, 20, 2, tzinfo=UTC)
# A table with a row, and how many links there were before.
Where = tuple[str, set[str]]
Tampering = Callable[[random.Random], Where]


class NothingToDoError(Exception):
    """Here the tampering changes nothing here, or the database refuses it whoever asks."""


def made(role: Role, *areas: Any) -> User:
    """Make an account with its entry."""
    with transaction.atomic():
        user = make_user(role, *areas)
        audit.record(by=None, did="made account", to=user)
    return user


def fill(notice: bytes) -> None:
    """Let people do each thing that the audit rests on, some of them several times."""
    keyring.check()
    community = make_community()
    grid, elsewhere = make_grid(community), make_grid()
    country = Area.objects.get(code="350000")
    first, second = made(Role.ADMINISTRATOR, country), made(Role.ADMINISTRATOR, country)
    supervisor = made(Role.SUPERVISOR, community)
    staff, stranger = made(Role.GRID_STAFF, grid), made(Role.GRID_STAFF, elsewhere)
    for account in (staff, stranger):
        _hands(account, first, second)
    residents = [make_resident(grid=grid, by=staff, name=name) for name in ("张三", "李四")]
    for resident in residents:
        audit.record(by=staff, did="read", to=resident, reason=f"电话核实{resident.pk}")
        openings.open_record(
            text=str(resident.key), reason="核实其昨日行程", today=NOW.date(), by=stranger
        )
    _exports(community, supervisor, second)
    _laws(notice, first, second)
    _ends(first, second)
    chain.seal()
    accounts.deactivate(user=stranger, by=first)
    audit.showed(by=staff, page="case_list", people=[each.key for each in residents])


def _hands(account: User, one: User, another: User) -> None:
    """Let one administrator have a hand in an account, and two decide about it."""
    with transaction.atomic():
        Intervention.objects.create(
            account=account, by=one, kind=Intervention.Kind.MADE, at=AT, by_employer=one.employer
        )
        AccountProposal.objects.create(
            kind=AccountProposal.Kind.CLOSE,
            account=account,
            proposed_by=one,
            proposer_employer=one.employer,
            proposed_at=AT,
            refused_by=another,
            refused_at=AT,
        )
        audit.record(by=one, did="made account", to=account)


def _exports(community: Any, asker: User, approver: User) -> None:
    for fields in (["name"], ["name", "phone"], ["phone"]):
        request = requests.ask(
            what="residents",
            area=community,
            filters={},
            fields=fields,
            kind="csv",
            purpose="sampling",
            reason="上门采样",
            at=NOW,
            by=asker,
        )
        if fields == ["phone"]:
            requests.refuse(request=request, reason="用不着", at=NOW, by=approver)
            continue
        requests.approve(request=request, at=NOW, by=approver)
        request.refresh_from_db()
        ledger.enter(
            number=ledger.next_number(),
            what="residents",
            area=community,
            filters={},
            kind="csv",
            content=b"x",
            rows=2,
            people=[],
            at=NOW,
            by=asker,
            request=request,
        )


def _laws(notice: bytes, one: User, another: User) -> None:
    draft = drafts.upload(content=notice, name="notice.yaml", at=AT, by=one)
    drafts.approve(draft=draft, at=AT, by=another)
    area = one.areas.get()
    for document in ("cn-2022-113", "cn-2022-101"):
        activation = decisions.propose_activation(
            document=document, area=area, effective_from=AT, reason="国家规定", at=AT, by=one
        )
        choices.let_stricter_reach_open_cases(
            activation=activation, subject="arrivals", reason="从严", at=AT, by=one
        )
        decisions.approve_activation(activation=activation, at=AT, by=another)
        with transaction.atomic():
            Justification.objects.create(
                area=area,
                document=document,
                clause="1",
                subject="arrivals",
                text="x",
                by=one,
                at=AT,
            )
            audit.record(by=one, did="justified a stricter provision", to=activation)
    for name in ("健康宝", "粤康码"):
        clients.make_client(name=name, at=AT, by=one)


def _ends(one: User, another: User) -> None:
    """Let two outbreaks end: the data of one are purged, those of the other are not."""
    for is_agreed in (True, False):
        community = make_community()
        terms.set_term(area=community, days=30, reason="示例", at=AT, by=one)
        Sample.objects.create(
            resident=make_resident(grid=make_grid(community), by=one),
            day=AT.date(),
            taken_at=AT,
            taken_by=one,
            recorded_at=AT,
            withdrawn_at=AT,
            withdrawn_by=one,
        )
        closed = closing.close(area=community, reason="疫情结束", at=AT, by=one)
        due = moment(closed.purge_from)
        purge = purging.ask(closing=closed, at=due, by=one)
        if is_agreed:
            purging.approve(purge=purge, at=due, by=another)
            purging.work(key=purge.key, at=due)
        else:
            purging.refuse(purge=purge, at=due, by=another)


@contextmanager
def no_triggers() -> Iterator[Any]:
    """Write as a superuser who has switched all triggers off for himself."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")


def attempt(tampering: Tampering, chance: random.Random, noted: Path) -> tuple[str, str]:
    """Tamper, verify, take back; return the table, "" if nothing was done, and what is amiss."""
    table, said = "", ""
    # The database itself refuses some: no null, no second of a kind, no unknown role.
    with suppress(Error, NothingToDoError), tried():
        where, rows = tampering(chance)
        found = chain.verify(noted=[noted]).findings
        if not _names(found, where, rows):
            said = f"{tampering.__name__} of {where} {rows}: {found}"
        table = where
    return table, said


def _names(found: list[ChainFinding], table: str, rows: set[str]) -> bool:
    named = {one.row for one in found if one.table == table}
    return bool(found) and (rows <= named if rows else bool(named))


def run(number: int, seed: int, noted: Path) -> Counter[str]:
    """
    Tamper so many times, and return how often each way, and with each table.

    Raise AssertionError where something is not found, or is found that nobody did.
    """
    assert chain.verify(noted=[noted]).findings == []
    assert all(_keys(each) for each in witness.witnessed())
    chance = random.Random(seed)  # noqa: S311 - the same tamperings each time
    done: Counter[str] = Counter()
    for tries in range(20 * number):
        if done.total() == 2 * number:
            break
        tampering = TAMPERINGS[tries % len(TAMPERINGS)]
        table, said = attempt(tampering, chance, noted)
        assert not said, said
        done.update([tampering.__name__, table] if table else [])
    assert done.total() == 2 * number
    assert chain.verify(noted=[noted]).findings == []
    return done


def _table(chance: random.Random) -> witness.Witnessed:
    return chance.choice([each for each in witness.witnessed() if _keys(each)])


def _keys(each: witness.Witnessed) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {each.key} FROM {each.table} ORDER BY 1")
        return [key for (key,) in cursor.fetchall()]


def _columns(table: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            [table],
        )
        return dict(cursor.fetchall())


# Something else of the same type.
OTHERWISE = {
    "bigint": "coalesce({0}, 0) + {n}",
    "integer": "coalesce({0}, 0) + {n}",
    "smallint": "coalesce({0}, 0) + {n}",
    "boolean": "NOT {0}",
    "uuid": "gen_random_uuid()",
    "jsonb": "coalesce({0}, '{{}}') || '{{\"x\": {n}}}'",
    "bytea": "CASE WHEN length({0}) > 0 THEN set_byte({0}, {n} % length({0}),"
    " 255 - get_byte({0}, {n} % length({0}))) ELSE '\\x01' END",
    "timestamp with time zone": "coalesce({0}, now()) + {n} * interval '1 microsecond'",
    "uuid[]": "array_append({0}, gen_random_uuid())",
    "character varying[]": "array_append({0}, 'x')",
    "character varying": "overlay(coalesce({0}, '') placing '{letter}' from 1 for 1)",
    "text": "overlay(coalesce({0}, '') placing '{letter}' from 1 for 1)",
}


def alter(chance: random.Random) -> Where:
    """Alter one column of one row."""
    each = _table(chance)
    columns = {name: kind for name, kind in _columns(each.table).items() if name != each.key}
    column = chance.choice([name for name in columns if name not in each.left_out])
    key = chance.choice(_keys(each))
    value = OTHERWISE[columns[column]].format(
        f'"{column}"', n=chance.randrange(1, 1_000), letter=chance.choice("xyz")
    )
    if column not in each.sealed and chance.random() < 0.2:
        value = "NULL"
    _change(
        f'UPDATE {each.table} SET "{column}" = {value} WHERE {each.key} = {key}'
        f' AND "{column}" IS DISTINCT FROM {value}'
    )
    return each.table, {str(key)}


def move(chance: random.Random) -> Where:
    """Give a row another number."""
    each = _table(chance)
    key = chance.choice(_keys(each))
    _change(f"UPDATE {each.table} SET {each.key} = {each.key} + 1000 WHERE {each.key} = {key}")
    return each.table, {str(key), str(key + 1000)}


def remove(chance: random.Random) -> Where:
    """Remove some rows."""
    each = _table(chance)
    keys = _keys(each)
    gone = chance.sample(keys, min(len(keys), chance.randrange(1, 4)))
    _change(f"DELETE FROM {each.table} WHERE {each.key} IN ({', '.join(map(str, gone))})")
    return each.table, set(map(str, gone))


def put_in(chance: random.Random) -> Where:
    """Put in a copy of a row, under a number of its own."""
    each = _table(chance)
    key = chance.choice(_keys(each))
    fresh = {"key": "gen_random_uuid()", "proof": "'\\x01'", "username": "'x'", "name": "'x'"}
    fresh |= {"key_hash": "'x'", "fingerprint": "'x'", "subject": "'x'", "document": "'x'"}
    fresh |= {"request_id": "NULL", "area_id": "area_id + 1", each.key: f"{key} + 1000"}
    names = list(_columns(each.table))
    values = [fresh.get(name, f'"{name}"') for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    _change(
        f"INSERT INTO {each.table} ({quoted}) OVERRIDING SYSTEM VALUE"
        f" SELECT {', '.join(values)} FROM {each.table} WHERE {each.key} = {key}"
    )
    return each.table, {str(key + 1000)}


def exchange(chance: random.Random) -> Where:
    """Exchange one column of two rows."""
    each = _table(chance)
    keys = _keys(each)
    if len(keys) < 2:
        raise NothingToDoError
    one, other = chance.sample(keys, 2)
    names = [name for name in _columns(each.table) if name not in (each.key, *each.left_out)]
    column = chance.choice(names)
    _exchange(each.table, each.key, column, one, other)
    return each.table, {str(one), str(other)}


def exchange_pseudonyms(chance: random.Random) -> Where:
    """Exchange the pseudonyms of two people, residents or staff."""
    table = chance.choice([RESIDENTS, "accounts_user"])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {table}")
        one, other = chance.sample([pk for (pk,) in cursor.fetchall()], 2)
    _exchange(table, "id", "key", one, other)
    return table, {str(one), str(other)}


def _exchange(table: str, key: str, column: str, one: Any, other: Any) -> None:
    with no_triggers() as cursor:
        cursor.execute(f'SELECT {key}, "{column}" FROM {table} WHERE {key} IN ({one}, {other})')
        held = dict(cursor.fetchall())
        if held[one] == held[other]:
            raise NothingToDoError
        free = _columns(table)[column] == "uuid"
        if free:  # two rows may not hold the same for a moment, either
            cursor.execute(
                f'UPDATE {table} SET "{column}" = gen_random_uuid() WHERE {key} = {one}'
            )
        for row, value in ((other, held[one]), (one, held[other])):
            cursor.execute(f'UPDATE {table} SET "{column}" = %s WHERE {key} = {row}', [value])


def _change(sql: str) -> None:
    """Change a row behind the backs of all triggers; a change that changes nothing is none."""
    with no_triggers() as cursor:
        cursor.execute(sql)
        if not cursor.rowcount:
            raise NothingToDoError


def in_the_open(chance: random.Random) -> Where:
    """Change a row before the eyes of the witness, as the owner of the tables may."""
    each = _table(chance)
    key = chance.choice(_keys(each))
    columns = _columns(each.table).items()
    moments = [c for c, kind in columns if kind.startswith("time") and c not in each.left_out]
    column = chance.choice(moments) if moments else ""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL pgtrigger.ignore = '{}'")
        cursor.execute(
            "SELECT format('ALTER TABLE %%s DISABLE TRIGGER %%I', tgrelid::regclass, tgname)"
            " FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE 'pgtrigger%%'",
            [each.table],
        )
        for (off,) in cursor.fetchall():
            cursor.execute(off)
        if not column or chance.random() < 0.5:
            cursor.execute(f"DELETE FROM {each.table} WHERE {each.key} = {key}")
        else:
            cursor.execute(f'UPDATE {each.table} SET "{column}" = now() WHERE {each.key} = {key}')
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    return each.table, {str(key)}


def forge(chance: random.Random) -> Where:
    """Add an entry, new or copied, as anybody may who may add to the audit."""
    made_up = chance.random() < 0.5
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_auditentry"
            " (at, actor, did, subject, shown, reason, detail, proof)"
            " SELECT at, actor, CASE WHEN %s THEN 'left' ELSE did END, subject, shown, reason,"
            " detail, proof FROM accounts_auditentry OFFSET %s LIMIT 1 RETURNING id",
            [made_up, chance.randrange(20)],
        )
        pk = cursor.fetchone()[0]
    return "accounts_auditentry", {str(pk)}


def alter_link(chance: random.Random) -> Where:
    """Alter a link, or take one out."""
    number = chance.randrange(1, _head() + 1)
    column = chance.choice(["op", "table", "row", "content", "tx", "digest", ""])
    if not column:
        _change(f"DELETE FROM {LINKS} WHERE number = {number}")
        return LINKS, {str(number + 1)} if number <= _head() else set()
    value = OTHERWISE[_columns(LINKS)[column]].format(f'"{column}"', n=7, letter="x")
    _change(f'UPDATE {LINKS} SET "{column}" = {value} WHERE number = {number}')
    return LINKS, {str(number)}


def cut(chance: random.Random) -> Where:
    """Take the end away: its links, and the rows that they are about."""
    keep = chance.randrange(1, _head())
    with no_triggers() as cursor:
        cursor.execute(f'SELECT "table", row FROM {LINKS} WHERE number > {keep}')
        late = cursor.fetchall()
        cursor.execute(f"DELETE FROM {LINKS} WHERE number > {keep}")
        for each in witness.witnessed():
            for row in (row for table, row in late if table == each.table):
                cursor.execute(f"DELETE FROM {each.table} WHERE {each.key} = {row}")
    return LINKS, set()


def link_anew(chance: random.Random) -> Where:
    """Remove or alter a row with its links, and link all that follows anew: the chain is whole."""
    number = chance.randrange(1, _head() + 1)
    link = AuditLink.objects.get(pk=number)
    each = next(one for one in witness.witnessed() if one.table == link.table)
    with no_triggers() as cursor:
        cursor.execute(f"DELETE FROM {each.table} WHERE {each.key} = {link.row}")
        cursor.execute(
            f'DELETE FROM {LINKS} WHERE "table" = %s AND row = %s', [link.table, link.row]
        )
        cursor.execute(f"SELECT * FROM {LINKS} ORDER BY number")
        head = b""
        for new, old in enumerate(cursor.fetchall(), start=1):
            row = (new, *old[1:])
            head = chain._digest(head, row)
            cursor.execute(
                f"UPDATE {LINKS} SET number = %s, digest = %s WHERE number = %s",
                [new, head, old[0]],
            )
    return LINKS, set()


def put_behind(chance: random.Random) -> Where:
    """Alter a row, and link that as if it belonged to the last transaction."""
    each = _table(chance)
    key = chance.choice(_keys(each))
    last = AuditLink.objects.latest("number")
    with no_triggers() as cursor:
        cursor.execute(f"DELETE FROM {each.table} WHERE {each.key} = {key}")
        row = (last.number + 1, "D", each.table, str(key), None, last.tx, None)
        digest = chain._digest(bytes(last.digest), row)
        cursor.execute(
            f"INSERT INTO {LINKS} VALUES (%s, %s, %s, %s, %s, %s, %s)", [*row[:6], digest]
        )
    return LINKS, {str(last.number + 1)}


def blind(chance: random.Random) -> Where:
    """Switch a witness off, or take it away."""
    each = _table(chance)
    how = chance.choice(
        ["ALTER TABLE {} DISABLE TRIGGER audit_witness", "DROP TRIGGER audit_witness ON {}"]
    )
    with connection.cursor() as cursor:
        cursor.execute(how.format(each.table))
    return each.table, set()


def _head() -> int:
    return AuditLink.objects.latest("number").number


TAMPERINGS: list[Tampering] = [
    *(alter, alter, alter, remove, put_in, exchange, exchange_pseudonyms, move),
    *(in_the_open, forge, alter_link, cut, link_anew, put_behind, blind),
]
