"""Addresses for the end of an outbreak."""

from django.urls import path

from portal.retention import views

urlpatterns = [
    path("closings/", views.closing_list, name="closing_list"),
    path("closings/new/", views.closing_new, name="closing_new"),
    path("closings/term/", views.retention_term, name="retention_term"),
    path("closings/<uuid:key>/", views.closing_detail, name="closing_detail"),
    path("closings/<uuid:key>/reopen/", views.closing_reopen, name="closing_reopen"),
    path("closings/<uuid:key>/purge/", views.purge_ask, name="purge_ask"),
    # /purges/
    path("purges/<uuid:key>/approve/", views.purge_approve, name="purge_approve"),
    path("purges/<uuid:key>/refuse/", views.purge_refuse, name="purge_refuse"),
    path("purges/<uuid:key>/progress/", views.purge_progress, name="purge_progress"),
    # Open to everybody: numbers of tables, and no person.
    path("certificates/<uuid:key>/", views.purge_certificate, name="purge_certificate"),
    path(
        "certificates/<uuid:key>/certificate.json",
        views.purge_certificate_file,
        name="purge_certificate_file",
    ),
]
