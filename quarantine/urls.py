"""Addresses of arrivals and cases; none holds personal data."""

from django.urls import path

from quarantine.views import (
    acts,
    arrivals,
    cases,
    corrections,
    duplicates,
    gate,
    moves,
    releases,
    samples,
    switching,
    today,
    todos,
    workers,
)

urlpatterns = [
    path("today/", today.today, name="today"),
    # /arrivals/
    path("arrivals/new/", arrivals.arrival_new, name="arrival_new"),
    path("arrivals/decision/", arrivals.arrival_decision, name="arrival_decision"),
    path("arrivals/lookup/", arrivals.arrival_lookup, name="arrival_lookup"),
    path("arrivals/origins/", arrivals.origin_search, name="origin_search"),
    path("arrivals/<uuid:key>/", arrivals.arrival_saved, name="arrival_saved"),
    path("arrivals/<uuid:key>/undo/", arrivals.arrival_undo, name="arrival_undo"),
    # /cases/
    path("cases/", cases.case_list, name="case_list"),
    path("cases/<uuid:key>/", cases.case_detail, name="case_detail"),
    path("cases/<uuid:key>/uncover/", cases.case_uncover, name="case_uncover"),
    path("cases/<uuid:key>/do/<str:act>/", acts.case_act, name="case_act"),
    path("arrivals/<uuid:key>/correct/", corrections.arrival_correct, name="arrival_correct"),
    path("correct/<slug:kind>/<slug:ref>/", corrections.fact_correct, name="fact_correct"),
    path("undo/sample/<uuid:key>/", acts.undo_sample, name="undo_sample"),
    path("undo/result/<int:pk>/", acts.undo_result, name="undo_result"),
    path("undo/contacts/<uuid:key>/", acts.undo_contacts, name="undo_contacts"),
    path("undo/event/<int:pk>/", acts.undo_event, name="undo_event"),
    # /todos/
    path("todos/", todos.todo_list, name="todo_list"),
    path("todos/<uuid:key>/", todos.todo_detail, name="todo_detail"),
    path("undo/todo/<uuid:key>/", todos.undo_todo, name="undo_todo"),
    # /residents/; here, because an open case moves with the person
    path("residents/<uuid:key>/move/", moves.resident_move, name="resident_move"),
    path("residents/<uuid:key>/leave/", moves.resident_leave, name="resident_leave"),
    path("residents/<uuid:key>/death/", moves.resident_death, name="resident_death"),
    path("residents/<uuid:key>/return/", moves.resident_return, name="resident_return"),
    path("residents/<uuid:key>/handover/", moves.resident_handover, name="resident_handover"),
    path("handovers/", moves.handover_list, name="handover_list"),
    path("handovers/<uuid:key>/accept/", moves.handover_accept, name="handover_accept"),
    path("handovers/<uuid:key>/refuse/", moves.handover_refuse, name="handover_refuse"),
    path("handovers/<uuid:key>/withdraw/", moves.handover_withdraw, name="handover_withdraw"),
    path("undo/moves/<str:keys>/", moves.undo_moves, name="undo_moves"),
    path("duplicates/", duplicates.duplicate_list, name="duplicate_list"),
    path("duplicates/<uuid:key>/", duplicates.duplicate_of, name="duplicate_of"),
    path(
        "duplicates/<uuid:kept>/<uuid:merged>/",
        duplicates.duplicate_compare,
        name="duplicate_compare",
    ),
    path(
        "duplicates/<uuid:kept>/<uuid:merged>/apart/",
        duplicates.duplicate_apart,
        name="duplicate_apart",
    ),
    path("undo/merge/<uuid:key>/", duplicates.undo_merge, name="undo_merge"),
    # /workers/; here, because an open case goes before the white list
    path("workers/", workers.worker_list, name="worker_list"),
    path("workers/<uuid:key>/", workers.worker_detail, name="worker_detail"),
    path("workers/<uuid:key>/<slug:act>/", workers.worker_act, name="worker_act"),
    path("residents/<uuid:key>/whitelist/", workers.worker_new, name="worker_new"),
    path("gate/", gate.gate, name="gate"),
    # /samples/
    path("samples/", samples.awaited_list, name="awaited_list"),
    path("samples/<uuid:key>/", samples.sample_result, name="sample_result"),
    path("samples/<uuid:key>/check/", samples.sample_check, name="sample_check"),
    # /releases/
    path("releases/", releases.release_list, name="release_list"),
    path("releases/confirm/", releases.release_confirm, name="release_confirm"),
    # /policy/activations/; here, because an activation changes cases
    path("policy/activations/<int:pk>/", switching.activation_detail, name="activation_detail"),
    path(
        "policy/activations/<int:pk>/preview/",
        switching.activation_preview,
        name="activation_preview",
    ),
    path(
        "policy/activations/<int:pk>/people/",
        switching.activation_people,
        name="activation_people",
    ),
    path(
        "policy/activations/<int:pk>/choose/",
        switching.activation_choose,
        name="activation_choose",
    ),
    path(
        "policy/activations/<int:pk>/progress/",
        switching.activation_progress,
        name="activation_progress",
    ),
    path(
        "policy/activations/<int:pk>/approve/",
        switching.activation_approve,
        name="activation_approve",
    ),
    path(
        "policy/activations/<int:pk>/withdraw/",
        switching.activation_withdraw,
        name="activation_withdraw",
    ),
]
