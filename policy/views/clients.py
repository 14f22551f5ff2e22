"""The programs that may ask the law, each with a key of its own."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import member, top_required
from common import clock
from common.errors import RefusedError
from policy.forms import ClientForm
from policy.models import ApiClient
from policy.questions import clients


@top_required
@require_http_methods(["GET", "POST"])
def client_list(request: HttpRequest) -> HttpResponse:
    """Show the clients; make one and show its key this once."""
    form, made, key = ClientForm(request.POST or None), None, ""
    if request.method == "POST" and form.is_valid():
        try:
            made, key = clients.make_client(
                **form.cleaned_data, at=clock.now(), by=member(request)
            )
            form = ClientForm()
        except RefusedError as refused:
            form.add_error(refused.field, refused.sentence)
    context = {
        "form": form,
        "made": made,
        "key": key,
        "clients": ApiClient.objects.select_related("created_by").order_by("revoked_at", "name"),
    }
    return render(request, "policy/client_list.html", context, status=422 if form.errors else 200)


@top_required
@require_POST
def client_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a client's key away."""
    client = get_object_or_404(ApiClient, pk=pk)
    clients.revoke_client(client=client, at=clock.now(), by=member(request))
    messages.success(request, _("The key of %(name)s no longer works.") % {"name": client})
    return redirect("client_list")
