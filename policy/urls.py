"""Addresses of the policy pages."""

from django.urls import path

from policy.views import activations, calculator, comparison, documents, drafts, subjects

urlpatterns = [
    path("", documents.document_list, name="document_list"),
    path("activations/", activations.activation_list, name="activation_list"),
    path("activations/<int:pk>/settle/", activations.activation_settle, name="activation_settle"),
    path("drafts/", drafts.draft_list, name="draft_list"),
    path("drafts/<int:pk>/", drafts.draft_detail, name="draft_detail"),
    path("drafts/<int:pk>/settle/", drafts.draft_settle, name="draft_settle"),
    path("<slug:document>.yaml", documents.document_file, name="document_file"),
    path("calculator", calculator.calculator, name="calculator"),
    path("compare", comparison.comparison, name="comparison"),
    path("subjects/<slug:subject>", subjects.subject_detail, name="subject_detail"),
    path("<slug:document>", documents.document_detail, name="document_detail"),
]
