"""URLs of the inbox, changes and undelivered messages."""

from django.urls import path

from reminders import views

urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/read", views.inbox_read, name="inbox_read"),
    path("inbox/<uuid:key>/read", views.message_read, name="message_read"),
    path("changes/", views.change_list, name="change_list"),
    path("changes/tick/", views.changes_tick, name="changes_tick"),
    path("undelivered/", views.undelivered, name="undelivered"),
    path("undelivered/<uuid:key>", views.message_retry, name="message_retry"),
]
