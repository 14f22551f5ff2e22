"""URLs of openings."""

from django.urls import path

from residents.openings import views

urlpatterns = [
    path("openings/", views.opening_list, name="opening_list"),
    path("openings/new/", views.opening_new, name="opening_new"),
    path("openings/<uuid:key>/end/", views.opening_end, name="opening_end"),
    path("openings/<uuid:key>/seen/", views.opening_seen, name="opening_seen"),
]
