"""Uploading a document: one administrator brings the file, another approves it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import member, role_required
from accounts.staff.models import Role
from common import clock
from common.errors import RefusedError
from policy import drafts
from policy.forms import DraftForm
from policy.models import StoredDocument
from policy.questions import example_results
from policy.questions.tries import tries
from policy.views.documents import as_file


@role_required(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def draft_list(request: HttpRequest) -> HttpResponse:
    """Take a document's file as a draft; show the drafts that wait and what was approved."""
    form = DraftForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file, examples = form.cleaned_data["file"], form.cleaned_data["examples"]
        try:
            draft = drafts.upload(
                content=file.read(),
                name=file.name,
                examples=examples.read() if examples else b"",
                at=clock.now(),
                by=member(request),
            )
        except RefusedError as refused:
            form.add_error(refused.field or "file", refused.sentence)
        else:
            messages.success(request, _("The file is sound. A second person may approve it."))
            return redirect("draft_detail", draft.pk)
    return render(
        request,
        "policy/draft_list.html",
        {
            "form": form,
            "waiting": StoredDocument.objects.waiting().select_related("uploaded_by"),
            "approved": StoredDocument.objects.approved().select_related(
                "uploaded_by", "approved_by"
            ),
        },
        status=422 if form.errors else 200,
    )


@role_required(Role.ADMINISTRATOR)
@require_GET
def draft_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show every value of a draft, beside its summaries, its parent and the one before it."""
    draft = get_object_or_404(StoredDocument.objects.waiting(), pk=pk)
    try:
        seen = drafts.preview_of(draft)
    except RefusedError as refused:
        # Another document was approved meanwhile, and this one cannot stand beside it.
        context = {"draft": draft, "refusal": refused.sentence}
        return render(request, "policy/draft_refused.html", context)
    return render(
        request,
        "policy/draft_detail.html",
        {
            "draft": draft,
            "preview": seen,
            "review": seen.review,
            "results": example_results.rows(seen.examples),
            "tries": tries(seen.document, seen.library),
            "own": draft.uploaded_by_id == member(request).pk,
        },
    )


@role_required(Role.ADMINISTRATOR)
@require_GET
def draft_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a draft's file, byte for byte."""
    draft = get_object_or_404(StoredDocument.objects.waiting(), pk=pk)
    return as_file(bytes(draft.content), draft.document)


@role_required(Role.ADMINISTRATOR)
@require_POST
def draft_settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or discard a draft."""
    draft = get_object_or_404(StoredDocument.objects.waiting(), pk=pk)
    approves = request.POST.get("decision") == "approve"
    at, by = clock.now(), member(request)
    try:
        if approves:
            despite = request.POST.get("despite_warnings") == "on"
            drafts.approve(draft=draft, at=at, by=by, despite_warnings=despite)
        else:
            drafts.discard(draft=draft, at=at, by=by)
    except RefusedError as refused:
        messages.error(request, refused.sentence)
        return redirect("draft_detail", pk)
    if not approves:
        messages.success(request, _("Discarded."))
        return redirect("draft_list")
    messages.success(request, _("Approved. It decides from the day on which it is activated."))
    return redirect("document_detail", draft.document)
