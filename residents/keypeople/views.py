"""Pages of key people: lists, health files, needs, effects of a document, standards."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, Min, OuterRef, Prefetch, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import member, role_required
from accounts.staff.models import SEES_PEOPLE, Area, Role, User
from common import clock
from common.errors import RefusedError
from common.paging import page_after
from common.redirects import redirect_to_next
from common.replica import may_lag
from policy import services as policy
from policy import words
from policy.engine import areas as codes
from policy.engine.decisions.colours import COLOURS
from policy.engine.decisions.people import ages_of
from policy.engine.documents.law import Law
from residents.keypeople import services, standards
from residents.keypeople.forms import (
    ACT_FORMS,
    FLAGS,
    ActForm,
    ContactForm,
    FactsForm,
    StandardForm,
)
from residents.keypeople.lists import (
    Filter,
    KeyLists,
    PersonGroup,
    Placing,
    key_lists,
    place_one,
    regimes_over,
)
from residents.keypeople.models import Contact, Dose, HealthFile, KeyStandard, Need
from residents.register import services as residents
from residents.register.models import Resident

field_work = role_required(*SEES_PEOPLE)
FEW_AREAS = 60
MOVES = {
    "joins": gettext_lazy("Newly listed"),
    "leaves": gettext_lazy("No longer listed"),
    "changes": gettext_lazy("Listed as something else"),
}

ACTS = {
    "facts": gettext_lazy("Change the facts"),
    "need": gettext_lazy("Note a need"),
    "dose": gettext_lazy("Record a dose"),
    "colour": gettext_lazy("Give a colour by hand"),
}


@dataclass(frozen=True)
class AreaScope:
    """The selected area with its grids, and the areas to choose from."""

    area: Area | None
    areas: list[Area]
    grids: list[Area]

    @classmethod
    def of(cls, user: User, code: str) -> "AreaScope":
        """Return the scope of `user`, narrowed to the area with this code. One query."""
        rows = list(
            Area.objects.below(user)
            .filter(level__in=[Area.Level.COMMUNITY, Area.Level.GRID])
            .only("pk", "path", "code", "level", "name", "depth")
        )
        chosen = next((area for area in rows if area.code == code), None)
        grids = [
            area
            for area in rows
            if area.level == Area.Level.GRID
            and (chosen is None or area.path.startswith(chosen.path))
        ]
        choices = (
            rows
            if len(rows) <= FEW_AREAS
            else [area for area in rows if area.level != Area.Level.GRID]
        )
        return cls(chosen, choices if len(choices) > 1 else [], grids)


def _residents(user: User, scope: AreaScope) -> Any:
    rows = Resident.objects.visible_to(user).here()
    return rows.filter(grid__path__startswith=scope.area.path) if scope.area else rows


@require_GET
@field_work
@may_lag
def key_people(request: HttpRequest) -> HttpResponse:
    """List the key people of one's areas by category, colour and vaccination."""
    user, at = member(request), clock.now()
    scope = AreaScope.of(user, request.GET.get("area", ""))
    regimes = regimes_over(scope.grids, at=at)
    lists = key_lists(residents=_residents(user, scope), regimes=regimes, on=clock.day_of(at))
    chosen = Filter.of(request.GET)
    rows = _rows(lists.residents_where(chosen.wants))
    page = page_after(rows, request.GET.get("after"), order=("born",), size=30)
    residents.showed(page="key_people", people=page.rows, by=user)
    by_category = lists.by_category()
    context = {
        "scope": scope,
        "chosen": chosen,
        "page": page,
        "rows": [(resident, lists.of(resident)) for resident in page.rows],
        "total": lists.count(lambda placing: placing.listing.listed),
        "found": lists.count(chosen.wants),
        "categories": [
            (word, label, by_category[word])
            for word, label in words.CATEGORIES.items()
            if by_category[word]
        ],
        "colours": _colours(lists),
        "bands": [
            (str(band), label, lists.count(Filter(vaccination=str(band)).wants))
            for band, label in ((60, _("Aged 60 to 79")), (80, _("Aged 80 and older")))
        ],
        "laws": {regime.law.id for regime in lists.regimes},
        "today": lists.on,
    }
    return render(request, "residents/key_people.html", context)


def _colours(lists: KeyLists) -> list[tuple[str, Any, int]]:
    counted: list[tuple[str, Any, int]] = [
        (colour, words.MARKS[colour], lists.count(Filter(colour=colour).wants))
        for colour in COLOURS
    ]
    return counted if any(number for _c, _label, number in counted) else []


def _rows(rows: Any) -> Any:
    due = Need.objects.open().filter(resident=OuterRef("pk")).order_by().values("resident")
    return rows.select_related("household__building", "grid", "health_file").annotate(
        next_on=Subquery(due.annotate(first=Min("next_on")).values("first"))
    )


@require_GET
@field_work
def key_people_changes(request: HttpRequest) -> HttpResponse:
    """Show who would be listed or not if another document came into force."""
    user, at = member(request), clock.now()
    scope = AreaScope.of(user, request.GET.get("area", ""))
    regimes = regimes_over(scope.grids, at=at)
    offered = _documents(scope)
    document = request.GET.get("document", "")
    context: dict[str, Any] = {
        "scope": scope,
        "offered": offered,
        "document": document if document in dict(offered) else "",
        "laws": {regime.law.id for regime in regimes},
    }
    if context["document"] and regimes:
        law = policy.library().law(document)
        lists = key_lists(
            residents=_residents(user, scope),
            regimes=regimes,
            on=clock.day_of(at),
            besides=ages_of(law),
        )
        context |= _changes(request, lists, law)
        residents.showed(page="key_people_changes", people=context["page"].rows, by=user)
    return render(request, "residents/key_people_changes.html", context)


def _documents(scope: AreaScope) -> list[tuple[str, str]]:
    """Return the documents that apply to some of the grids."""
    places = {grid.code for grid in scope.grids}
    return [
        (document.id, words.document_title(document.id))
        for document in policy.library().documents.values()
        if any(codes.lies_in(code, document.area) for code in places)
    ]


def _changes(request: HttpRequest, lists: KeyLists, law: Law) -> dict[str, Any]:
    def after(kind: PersonGroup) -> Placing:
        return lists.placing(kind, law=law)

    moves: dict[str, list[PersonGroup]] = {"joins": [], "leaves": [], "changes": []}
    for kind in lists.counts:
        if move := _listing_change(
            lists.placing(kind).listing.categories, after(kind).listing.categories
        ):
            moves[move].append(kind)
    counts = {name: sum(lists.counts[kind] for kind in kinds) for name, kinds in moves.items()}
    shown = request.GET.get("show", "")
    shown = shown if shown in moves else next((name for name in moves if counts[name]), "joins")
    rows = _rows(lists.residents_in(moves[shown]))
    page = page_after(rows, request.GET.get("after"), order=("born",), size=30)
    return {
        "show": shown,
        "moves": [(name, label, counts[name]) for name, label in MOVES.items()],
        "page": page,
        "rows": [
            (resident, lists.of(resident), lists.of(resident, law=law)) for resident in page.rows
        ],
        "table": _before_and_after(lists, after),
    }


def _listing_change(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    if before == after:
        return ""
    return "changes" if before and after else "joins" if after else "leaves"


def _before_and_after(
    lists: KeyLists, after: Callable[[PersonGroup], Placing]
) -> list[tuple[Any, int, int]]:
    """Return the numbers before and after: listed, by category, by colour, vaccination targets."""
    tests: list[tuple[Any, Callable[[Placing], bool]]] = [
        (_("Listed"), lambda placing: placing.listing.listed),
        *(
            (label, lambda placing, word=word: word in placing.listing.categories)
            for word, label in words.CATEGORIES.items()
        ),
        *((words.MARKS[colour], Filter(colour=colour).wants) for colour in COLOURS),
        (_("To encourage to vaccinate"), lambda placing: placing.to_vaccinate),
    ]
    rows = []
    for label, wanted in tests:
        after_count = sum(n for kind, n in lists.counts.items() if wanted(after(kind)))
        rows.append((label, lists.count(wanted), after_count))
    return [row for row in rows if row[1] or row[2]]


@dataclass(frozen=True)
class HealthFilePage:
    """The data of a health file's page."""

    resident: Resident
    file: HealthFile | None
    placing: Placing | None
    needs: list[Need]
    doses: list[Dose]
    alone: bool  # nobody else is registered at the address

    @property
    def circumstances(self) -> list[Any]:
        """Return the labels of the ticked circumstances."""
        if self.file is None:
            return []
        known = self.file.known
        labels = [label for flag, label in FLAGS.items() if getattr(known, flag, False)]
        return labels if known.stable else [*labels, FLAGS["unstable"]]


def _person(user: User, key: UUID) -> Resident:
    rows = Resident.objects.visible_to(user)
    rows = rows.select_related("household__building", "grid", "health_file__changed_by")
    behind_the_door = Resident.objects.here().filter(household=OuterRef("household"))
    housemates = behind_the_door.exclude(pk=OuterRef("pk"))
    return get_object_or_404(rows.annotate(alone=~Exists(housemates)), key=key)


def _file_of(resident: Resident) -> HealthFile | None:
    return getattr(resident, "health_file", None)


def _page_data(resident: Resident, at: datetime) -> HealthFilePage:
    regimes = regimes_over([resident.grid], at=at)
    regime = next(iter(regimes), None)
    file = _file_of(resident)
    contacts = Prefetch("contacts", Contact.objects.select_related("by").order_by("-at", "-pk"))
    needs = resident.needs.select_related("responsible").prefetch_related(contacts)
    doses = resident.doses.filter(withdrawn_at=None)
    return HealthFilePage(
        resident=resident,
        file=file,
        placing=place_one(regime, resident, clock.day_of(at)) if regime else None,
        needs=list(needs.order_by("closed_at", "next_on", "pk")),
        doses=sorted(doses, key=lambda dose: dose.day),
        alone=resident.alone,  # type: ignore[attr-defined]
    )


def _helpers(resident: Resident) -> list[User]:
    """Return the users who may look after a need: staff where the person lives."""
    path = resident.grid.path
    above = [path[:end] for end in range(Area.steplen, len(path) + 1, Area.steplen)]
    staff = User.objects.filter(
        is_active=True, role__in=SEES_PEOPLE, areas__path__in=above
    ).distinct()
    return list(staff.order_by("role", "name", "pk")[:100])


@require_GET
@field_work
@transaction.atomic
def health_file(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show a health file: facts, reasons for listing, doses, needs; the access is audited."""
    return _file_page(request, _person(member(request), key), clock.now())


def _file_page(
    request: HttpRequest,
    resident: Resident,
    at: datetime,
    failed: tuple[str, ActForm] | None = None,
) -> HttpResponse:
    today = clock.day_of(at)
    residents.read(resident=resident, by=member(request))
    details = _page_data(resident, at)
    arguments: dict[str, Any] = {
        "resident": resident,
        "file": details.file,
        "today": today,
        "helpers": _helpers(resident),
        "by": member(request),
    }
    forms = {act: ACT_FORMS[act](**arguments, prefix=act) for act in ACTS} | dict(
        [failed] if failed else []
    )
    acts = [
        (act, label, forms[act])
        for act, label in ACTS.items()
        if act != "colour" or (details.placing and details.placing.listing.colour)
    ]
    context = {
        "details": details,
        "resident": resident,
        "age": resident.age(today),
        "acts": acts,
        "failed": failed[0] if failed else None,
        "failed_form": failed[1] if failed else None,
        "contact_form": ContactForm(today=today),
        "today": today,
    }
    return render(request, "residents/health_file.html", context)


ActHandler = Callable[[Resident, ActForm, datetime, User], str]


def _facts(resident: Resident, form: ActForm, at: datetime, by: User) -> str:
    assert isinstance(form, FactsForm)  # noqa: S101 - tells the type checker
    data = form.cleaned_data
    services.note_facts(
        resident=resident,
        facts=form.facts(),
        contraindication=data["contraindication"],
        note=data["note"],
        version=data["version"],
        at=at,
        by=by,
    )
    return _("Saved. The lists follow at once.")


def _dose(resident: Resident, form: ActForm, at: datetime, by: User) -> str:
    services.record_dose(resident=resident, **form.cleaned_data, at=at, by=by)
    return _("Dose recorded.")


def _colour(resident: Resident, form: ActForm, at: datetime, by: User) -> str:
    data = form.cleaned_data
    services.give_colour(
        resident=resident, colour=data["colour"] or None, reason=data["reason"], at=at, by=by
    )
    return _("Colour saved.")


def _need(resident: Resident, form: ActForm, at: datetime, by: User) -> str:
    services.open_need(resident=resident, **form.cleaned_data, at=at, by=by)
    return _("Noted. It will be listed on its due date.")


ACT_HANDLERS: dict[str, ActHandler] = {
    "facts": _facts,
    "dose": _dose,
    "colour": _colour,
    "need": _need,
}


@require_POST
@field_work
def health_file_act(request: HttpRequest, key: UUID, act: str) -> HttpResponse:
    """Do one act on a health file, or show its form with errors."""
    if act not in ACT_HANDLERS:
        raise Http404
    user, at = member(request), clock.now()
    resident = _person(user, key)
    form = ACT_FORMS[act](
        request.POST,
        resident=resident,
        file=_file_of(resident),
        today=clock.day_of(at),
        helpers=_helpers(resident) if act == "need" else [],
        by=user,
        prefix=act,
    )
    if form.is_valid():
        try:
            message = ACT_HANDLERS[act](resident, form, at, user)
        except RefusedError as error:
            form.add_error(error.field if error.field in form.fields else None, error.sentence)
        else:
            messages.success(request, message)
            return redirect("health_file", key)
    return _file_page(request, _person(user, key), at, (act, form))


@require_POST
@field_work
def dose_withdraw(request: HttpRequest, key: UUID) -> HttpResponse:
    """Withdraw a dose that was recorded in error."""
    user = member(request)
    dose = get_object_or_404(Dose.objects.visible_to(user).select_related("resident"), key=key)
    try:
        services.withdraw_dose(dose=dose, at=clock.now(), by=user)
    except RefusedError as error:
        messages.error(request, error.sentence)
    else:
        messages.info(request, _("Taken back."))
    return redirect("health_file", dose.resident.key)


@require_GET
@field_work
def need_list(request: HttpRequest) -> HttpResponse:
    """Show open needs: overdue, today and later, the most urgent first."""
    user, today = member(request), clock.today()
    open_needs = Need.objects.visible_to(user).open()
    own_only = "mine" in request.GET
    shown = open_needs.filter(responsible=user) if own_only else open_needs
    rows = shown.select_related("resident__household__building", "resident__grid", "responsible")
    page = page_after(
        rows,
        request.GET.get("after"),
        order=("next_on",),
        among=Need.objects.visible_to(user),
        size=30,
    )
    people = [need.resident for need in page.rows]
    residents.showed(page="need_list", people=people, by=user)
    context = {
        "page": page,
        "mine": own_only,
        "total": shown.count(),
        "due": shown.due(today).count(),
        "overdue": shown.due(today - timedelta(days=1)).count(),
        "today": today,
        "contact_form": ContactForm(today=today),
    }
    return render(request, "residents/need_list.html", context)


@require_POST
@field_work
def need_contact(request: HttpRequest, key: UUID) -> HttpResponse:
    """Record a contact about a need; return to the page of the form."""
    user, at = member(request), clock.now()
    needs = Need.objects.visible_to(user).select_related("resident")
    need = get_object_or_404(needs, key=key)
    form = ContactForm(request.POST, today=clock.day_of(at))
    if form.is_valid():
        data = form.cleaned_data
        closes = data.pop("closed")
        try:
            services.record_contact(need=need, **data, at=at, by=user)
        except RefusedError as error:
            messages.error(request, error.sentence)
        else:
            messages.success(request, _("Need closed.") if closes else _("Contact noted."))
    else:
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
    return _redirect_back(request, need)


def _redirect_back(request: HttpRequest, need: Need) -> HttpResponseRedirect:
    return redirect_to_next(request, "health_file", need.resident.key)


@require_http_methods(["GET", "POST"])
@role_required(Role.SUPERVISOR)
def key_standard(request: HttpRequest) -> HttpResponse:
    """Show the standard of one's areas, and set another with a reason."""
    user, at = member(request), clock.now()
    managed = Area.objects.below(user).exclude(level=Area.Level.GRID)
    code = request.POST.get("area") or request.GET.get("area", "")
    area = managed.filter(code=code).first() or managed.first()
    rules = standards.rules_over([area])[area.pk] if area else standards.DEFAULT
    form = StandardForm(
        request.POST or None,
        areas=managed,
        rules=rules,
        initial={"area": area.code if area else None},
    )
    if form.is_valid():
        data = form.cleaned_data
        try:
            standards.set_rules(
                area=data["area"], rules=form.rules(), reason=data["reason"], at=at, by=user
            )
        except RefusedError as error:
            form.add_error("reason", error.sentence)
        else:
            messages.success(request, _("The standard holds from now on; the lists follow."))
            return redirect(f"{request.path}?area={data['area'].code}")
    history = KeyStandard.objects.filter(area__in=managed).select_related("area", "by")
    context = {
        "form": form,
        "area": area,
        "default": rules.colours.default,
        "history": history.order_by("-pk")[:20],
    }
    return render(request, "residents/key_standard.html", context)
