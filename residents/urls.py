"""Residents and households."""

from django.urls import include, path

from residents.views import residents, rosters

urlpatterns = [
    path("", include("residents.keypeople.urls")),
    path("", include("residents.openings.urls")),
    # /residents/
    path("residents/", residents.resident_list, name="resident_list"),
    path("residents/new/", residents.resident_new, name="resident_new"),
    path("residents/<uuid:key>/", residents.resident_detail, name="resident_detail"),
    path(
        "residents/<uuid:key>/access-log/",
        residents.resident_access_log,
        name="resident_access_log",
    ),
    path("residents/<uuid:key>/change/", residents.resident_change, name="resident_change"),
    path(
        "residents/<uuid:key>/uncover/<slug:field>/",
        residents.resident_uncover,
        name="resident_uncover",
    ),
    # /households/
    path("households/<uuid:key>/", residents.household_detail, name="household_detail"),
    # /rosters/
    path("rosters/", rosters.roster_list, name="roster_list"),
    path("rosters/new/", rosters.roster_new, name="roster_new"),
    path("rosters/<uuid:key>/", rosters.roster_detail, name="roster_detail"),
    path("rosters/<uuid:key>/columns/", rosters.roster_columns, name="roster_columns"),
    path("rosters/<uuid:key>/progress/", rosters.roster_progress, name="roster_progress"),
    path("rosters/<uuid:key>/mend/", rosters.roster_mend, name="roster_mend"),
    path("rosters/<uuid:key>/apply/", rosters.roster_apply, name="roster_apply"),
    path("rosters/<uuid:key>/undo/", rosters.roster_undo, name="roster_undo"),
    path("rosters/<uuid:key>/discard/", rosters.roster_discard, name="roster_discard"),
]
