"""Residents and households."""

from django.urls import path

from residents import views

urlpatterns = [
    # /residents/
    path("residents/", views.resident_list, name="resident_list"),
    path("residents/new/", views.resident_new, name="resident_new"),
    path("residents/<uuid:key>/", views.resident_detail, name="resident_detail"),
    path("residents/<uuid:key>/change/", views.resident_change, name="resident_change"),
    path(
        "residents/<uuid:key>/uncover/<slug:field>/",
        views.resident_uncover,
        name="resident_uncover",
    ),
    # /households/
    path("households/<uuid:key>/", views.household_detail, name="household_detail"),
]
