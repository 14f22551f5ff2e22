"""The root URL configuration."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from policy.questions import api
from portal import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("accounts.urls")),
    path("", include("residents.urls")),
    path("healthz", views.healthz),
    path("healthz/worker", views.healthz_worker),
    path("", include("quarantine.urls")),
    path("language/", login_not_required(set_language), name="set_language"),
    path("", views.home, name="home"),
    path("", include("portal.exports.urls")),
    path("", include("portal.owndata.urls")),
    path("", include("portal.retention.urls")),
    path("", include("portal.staffing.urls")),
    path("overview/", views.dashboard, name="dashboard"),
    path("arrivals/", views.arrival_list, name="arrival_list"),
    path("demo/day/", views.demo_day, name="demo_day"),
    path("api/", api.urls()),
    path("door/", include("testing.urls")),
    path("policy/", include("policy.urls")),
    path("", include("reminders.urls")),
]
