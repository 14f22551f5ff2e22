"""The address at which a person's own data are asked for."""

from django.urls import path

from portal.owndata import views

urlpatterns = [path("residents/<uuid:key>/own-data/", views.own_data, name="own_data")]
