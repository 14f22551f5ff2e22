"""The demo's health files, doses, needs and whitelist workers, generated and clearly so."""

import random
import uuid
from collections import Counter
from datetime import date, datetime, timedelta

from accounts.staff.models import User
from common import clock
from common.encryption import search_hash
from residents.keypeople import services
from residents.keypeople.facts import CONDITIONS, NOTHING, KeyFacts, Product
from residents.keypeople.models import Contact, Dose, HealthFile, Need
from residents.register.models import Resident
from residents.whitelist import services as whitelist
from testing import services as testing
from testing.models import NATResult, Sample

SEED = 20221207
NEEDS_A_GRID = 5
WORKERS_A_GRID = 6
# Post, the post by which tests are asked for, employer.
_POSTS = (
    ("medical", "hospital_other", "示例社区卫生服务中心"),
    ("utilities", "", "示例供热站"),
    ("supermarket", "supermarket", "示例便民超市"),
    ("transport_logistics", "courier", "示例快递驿站"),
    ("police", "", "示例派出所"),
    ("supply", "market", "示例农贸市场"),
)
_WORDS = {
    Need.Kind.MEDICINE: "示例：代取慢性病处方药",
    Need.Kind.DIALYSIS: "示例：每周二、四、六上午接送",
    Need.Kind.FOOD: "示例：送菜上门",
    Need.Kind.CARE: "示例：每日电话问候",
}


def create_health_files(*, at: datetime) -> None:
    """Create health files, doses, needs and whitelist workers."""
    chance = random.Random(SEED)  # noqa: S311 - the same community each time
    staff = {user.areas.get().pk: user for user in User.objects.filter(role="grid_staff")}
    files, doses = [], []
    for resident in Resident.objects.select_related("grid").order_by("pk"):
        received = _doses(chance, resident, at)
        facts = _facts(chance, resident, clock.day_of(at), received)
        if facts == NOTHING:
            continue
        by = staff[resident.grid_id]
        files.append(
            HealthFile(
                resident=resident,
                facts=facts.pack(),
                token=facts.token,
                contraindication="示例：医生判定暂缓接种" if facts.contraindicated else "",
                changed_at=at - timedelta(days=20),
                changed_by=by,
            )
        )
        doses += [_dose(resident, day, product, at, by) for day, product in received]
    HealthFile.objects.bulk_create(files, batch_size=2_000)
    Dose.objects.bulk_create(doses, batch_size=2_000)
    _note_needs(chance, staff, at)
    _list_workers(chance, staff, at)


def _facts(
    chance: random.Random, resident: Resident, today: date, received: list[tuple[date, Product]]
) -> KeyFacts:
    age = resident.age(today) or 0
    ill = chance.random() < (0.55 if age >= 60 else 0.08 if age >= 35 else 0.005)
    weights = (5, 3, 2, 4, 1, 1, 1, 6, 0)
    diseases = chance.choices(CONDITIONS, weights, k=chance.choice((1, 1, 2, 3))) if ill else []
    if age >= 40 and chance.random() < 0.006:
        diseases += ["ckd", "haemodialysis"]
    return KeyFacts(
        conditions=tuple(sorted(set(diseases))),
        stable=not ill or chance.random() < 0.85,
        living_alone=age >= 60 and chance.random() < 0.18,
        pregnant=resident.sex == "female" and 20 <= age <= 40 and chance.random() < 0.05,
        child_in_difficulty=age < 18 and chance.random() < 0.02,
        disabled=chance.random() < 0.015,
        doses=tuple(sorted(Counter(product for _day, product in received).items())),
        contraindicated=age >= 60 and not received and chance.random() < 0.3,
    )


def _doses(chance: random.Random, resident: Resident, at: datetime) -> list[tuple[date, Product]]:
    age = resident.age(clock.day_of(at)) or 0
    # Fewer of the oldest were vaccinated, which is why the notices ask for them.
    probability = 0.55 if age >= 80 else 0.8 if age >= 60 else 0.93 if age >= 3 else 0
    if chance.random() > probability:
        return []
    first = clock.day_of(at) - timedelta(days=chance.randint(300, 560))
    number = chance.choice((1, 2, 2, 3, 3, 3))
    return [(first + timedelta(days=60 * index), "inactivated") for index in range(number)]


def _dose(resident: Resident, day: date, product: Product, at: datetime, by: User) -> Dose:
    return Dose(
        resident=resident,
        given=f"{day.isoformat()} {product}",
        day_hash=search_hash(f"{resident.key}:{day.isoformat()}", context=services.DAY),
        recorded_at=at - timedelta(days=20),
        recorded_by=by,
    )


def _note_needs(chance: random.Random, staff: dict[int, User], at: datetime) -> None:
    """Note some needs in each grid: a few are overdue, as in life."""
    for grid, by in staff.items():
        old = Resident.objects.filter(
            grid=grid, health_file__isnull=False, birth_date__lt=at - timedelta(days=60 * 365)
        )
        for resident in old.order_by("-pk")[:NEEDS_A_GRID]:
            noted = at - timedelta(days=chance.randint(2, 6))
            kind = chance.choice(list(_WORDS))
            need = services.open_need(
                resident=resident,
                kind=kind,
                words=_WORDS[kind],
                responsible=by,
                next_on=clock.day_of(noted) + timedelta(days=1),
                at=noted,
                by=by,
            )
            if chance.random() < 0.7:
                services.record_contact(
                    need=need,
                    key=uuid.UUID(int=chance.getrandbits(128), version=4),
                    how=Contact.How.CALL,
                    words="示例：一切正常",
                    next_on=clock.day_of(at) + timedelta(days=chance.randint(-1, 3))
                    if chance.random() < 0.9
                    else None,
                    at=noted + timedelta(days=1),
                    by=by,
                )


def _list_workers(chance: random.Random, staff: dict[int, User], at: datetime) -> None:
    """Put some on the white list: most tested lately, one soon over."""
    today = clock.day_of(at)
    for grid, by in staff.items():
        candidates = Resident.objects.filter(
            grid=grid,
            cases=None,
            birth_date__gt=at - timedelta(days=55 * 365),
            birth_date__lt=at - timedelta(days=22 * 365),
        ).exclude(phone="")
        for number, resident in enumerate(candidates.order_by("pk")[:WORKERS_A_GRID]):
            post, screening_post, employer = _POSTS[number % len(_POSTS)]
            worker = whitelist.list_worker(
                resident=resident,
                post=post,
                screening_post=screening_post,
                employer=employer,
                valid_from=today - timedelta(days=20),
                valid_until=today + timedelta(days=4 if number == 1 else 40),
                at=at - timedelta(days=20),
                by=by,
            )
            for duty in ("protection", "health_monitoring"):
                if chance.random() < 0.8:
                    whitelist.keep_duty(worker=worker, duty=duty, well=True, at=at, by=by)
            _test(resident, at - timedelta(hours=chance.choice((10, 22, 34, 70))), at, by)


def _test(resident: Resident, taken: datetime, at: datetime, by: User) -> None:
    if Sample.objects.filter(resident=resident, day=clock.day_of(taken)).exists():
        return
    sample = testing.take_sample(resident=resident, taken_at=taken, at=taken, by=by)
    reported = min(taken + timedelta(hours=6), at)
    testing.record_result(
        sample=sample,
        outcome=NATResult.Outcome.NEGATIVE,
        ct=None,
        reported_at=reported,
        at=reported,
        by=by,
    )
