"""Addresses of the policy pages."""

from django.urls import path

from policy.views import documents

urlpatterns = [
    path("", documents.document_list, name="document_list"),
    path("<slug:document>", documents.document_detail, name="document_detail"),
]
