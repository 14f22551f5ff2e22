"""Residents and households."""

from django.urls import include, path

from residents.views import residents

urlpatterns = [
    path("", include("residents.keypeople.urls")),
    # /residents/
    path("residents/", residents.resident_list, name="resident_list"),
    path("residents/new/", residents.resident_new, name="resident_new"),
    path("residents/<uuid:key>/", residents.resident_detail, name="resident_detail"),
    path("residents/<uuid:key>/looks/", residents.resident_looks, name="resident_looks"),
    path("residents/<uuid:key>/change/", residents.resident_change, name="resident_change"),
    path(
        "residents/<uuid:key>/uncover/<slug:field>/",
        residents.resident_uncover,
        name="resident_uncover",
    ),
    # /households/
    path("households/<uuid:key>/", residents.household_detail, name="household_detail"),
]
