"""URLs of key people and their needs."""

from django.urls import path

from residents.keypeople import views

urlpatterns = [
    # /key-people/
    path("key-people/", views.key_people, name="key_people"),
    path("key-people/changes/", views.key_people_changes, name="key_people_changes"),
    path("key-people/standard/", views.key_standard, name="key_standard"),
    path("key-people/<uuid:key>/", views.health_file, name="health_file"),
    path("key-people/<uuid:key>/<slug:act>/", views.health_file_act, name="health_file_act"),
    path("doses/<uuid:key>/withdraw/", views.dose_withdraw, name="dose_withdraw"),
    # /needs/
    path("needs/", views.need_list, name="need_list"),
    path("needs/<uuid:key>/contact/", views.need_contact, name="need_contact"),
]
