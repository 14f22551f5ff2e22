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
from policy.views.documents import clauses_of


@role_required(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def draft_list(request: HttpRequest) -> HttpResponse:
    """Take a document's file as a draft; show the drafts that wait and what was approved."""
    form = DraftForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            draft = drafts.upload(
                content=file.read(), name=file.name, at=clock.now(), by=member(request)
            )
        except RefusedError as refused:
            form.add_error("file", refused.sentence)
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
    """Show what a draft says and where it differs from its parent."""
    draft = get_object_or_404(StoredDocument.objects.waiting(), pk=pk)
    seen = drafts.preview(bytes(draft.content), f"{draft.document}.yaml")
    return render(
        request,
        "policy/draft_detail.html",
        {
            "draft": draft,
            "preview": seen,
            "clauses": clauses_of(seen.document),
            "own": draft.uploaded_by_id == member(request).pk,
        },
    )


@role_required(Role.ADMINISTRATOR)
@require_POST
def draft_settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or discard a draft."""
    draft = get_object_or_404(StoredDocument.objects.waiting(), pk=pk)
    settle = drafts.approve if request.POST.get("decision") == "approve" else drafts.discard
    try:
        settle(draft=draft, at=clock.now(), by=member(request))
    except RefusedError as refused:
        messages.error(request, refused.sentence)
        return redirect("draft_detail", pk)
    if settle is drafts.discard:
        messages.success(request, _("Discarded."))
        return redirect("draft_list")
    messages.success(request, _("Approved. It decides from the day on which it is activated."))
    return redirect("document_detail", draft.document)
