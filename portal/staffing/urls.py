"""Addresses at which accounts are made, change or close; their open work moves along."""

from django.urls import path

from portal.staffing.views import confirmations, people, proposals

urlpatterns = [
    path("people/new/", people.person_new, name="person_new"),
    path("people/proposals/", proposals.proposal_list, name="proposal_list"),
    path("people/proposals/<uuid:key>/", proposals.proposal_detail, name="proposal_detail"),
    path(
        "people/proposals/<uuid:key>/approve/", proposals.proposal_approve, name="proposal_approve"
    ),
    path("people/proposals/<uuid:key>/refuse/", proposals.proposal_refuse, name="proposal_refuse"),
    path("people/unconfirmed/", confirmations.unconfirmed_list, name="unconfirmed_list"),
    path("people/<uuid:key>/", people.person_change, name="person_change"),
    path("people/<uuid:key>/deactivate/", people.person_deactivate, name="person_deactivate"),
    path("people/<uuid:key>/reactivate/", people.person_reactivate, name="person_reactivate"),
    path("people/<uuid:key>/reset/", people.person_reset, name="person_reset"),
]
