"""Addresses at which accounts change or close; here, because their open work moves along."""

from django.urls import path

from portal.staffing import views

urlpatterns = [
    path("people/<uuid:key>/", views.person_change, name="person_change"),
    path("people/<uuid:key>/deactivate/", views.person_deactivate, name="person_deactivate"),
]
