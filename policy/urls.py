"""Addresses of the policy pages."""

from django.urls import path

from policy import views

urlpatterns = [
    path("", views.document_list, name="document_list"),
    path("<slug:document>", views.document_detail, name="document_detail"),
]
