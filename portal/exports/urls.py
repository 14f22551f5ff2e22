"""Addresses of exports; none holds personal data."""

from django.urls import path

from portal.exports import views

urlpatterns = [
    # /exports/
    path("exports/", views.export_list, name="export_list"),
    path("exports/new/<slug:what>/", views.export_new, name="export_new"),
    path("exports/new/<slug:what>/unmasked/", views.export_ask, name="export_ask"),
    path("exports/file/", views.export_file, name="export_file"),
    path("exports/file/fetch/", views.export_fetch, name="export_fetch"),
    # /exports/requests/
    path("exports/requests/", views.export_requests, name="export_requests"),
    path("exports/requests/<uuid:key>/", views.export_request, name="export_request"),
    path("exports/requests/<uuid:key>/approve/", views.export_approve, name="export_approve"),
    path("exports/requests/<uuid:key>/refuse/", views.export_refuse, name="export_refuse"),
    path("exports/requests/<uuid:key>/withdraw/", views.export_withdraw, name="export_withdraw"),
    path("exports/requests/<uuid:key>/take/", views.export_take, name="export_take"),
    path("audit/export/", views.audit_export, name="audit_export"),
]
