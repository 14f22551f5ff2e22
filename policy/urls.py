"""Addresses of the policy pages."""

from django.urls import path

from policy.views import (
    activations,
    calculator,
    clients,
    comparison,
    desk,
    documents,
    drafts,
    escalation,
    local_law,
    subjects,
)

urlpatterns = [
    path("", documents.document_list, name="document_list"),
    path("activations/", activations.activation_list, name="activation_list"),
    path("activations/new/", activations.activation_new, name="activation_new"),
    path(
        "activations/areas/<slug:code>/", activations.activation_history, name="activation_history"
    ),
    path("drafts/", drafts.draft_list, name="draft_list"),
    path("drafts/<int:pk>/", drafts.draft_detail, name="draft_detail"),
    path("drafts/<int:pk>/file", drafts.draft_file, name="draft_file"),
    path("drafts/<int:pk>/settle/", drafts.draft_settle, name="draft_settle"),
    path("<slug:document>.yaml", documents.document_file, name="document_file"),
    path("desk/", desk.desk, name="policy_desk"),
    path("escalation/", escalation.escalation_list, name="escalation_list"),
    path("escalation/<int:pk>/justify/", escalation.justify, name="justify"),
    path("clients/", clients.client_list, name="client_list"),
    path("clients/<int:pk>/revoke/", clients.client_revoke, name="client_revoke"),
    path("in-force", local_law.law_at, name="law_at"),
    path("calculator", calculator.calculator, name="calculator"),
    path("compare", comparison.comparison, name="comparison"),
    path("subjects/<slug:subject>", subjects.subject_detail, name="subject_detail"),
    path("<slug:document>/examples", documents.document_examples, name="document_examples"),
    path("<slug:document>", documents.document_detail, name="document_detail"),
]
