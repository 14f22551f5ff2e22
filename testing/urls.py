"""URLs of the checks at doors."""

from django.urls import path

from testing import views

urlpatterns = [
    path("", views.door, name="door"),
    path("outbreak/<slug:code>/", views.outbreak, name="local_outbreak"),
]
