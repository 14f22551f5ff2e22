"""The questions of the contract over HTTP: the same answers as `manage.py ask`."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI, Schema, Status
from ninja.openapi.schema import OpenAPISchema
from ninja.security import APIKeyHeader
from ninja.throttling import AuthRateThrottle

from common import clock
from policy import services
from policy.activations.local_law import library_in_force
from policy.engine.errors import BadQuestionError, ContradictionError
from policy.engine.questions.ask import consider_line
from policy.models import ApiClient
from policy.questions import clients, openapi

QUESTIONS_A_MINUTE = 600


class ClientKey(APIKeyHeader):
    """The client's key in the header `X-API-Key`."""

    param_name = "X-API-Key"

    def authenticate(self, request: HttpRequest, key: str | None) -> ApiClient | None:
        """Return the client of a key."""
        return clients.client_of(key) if key else None


class Refusal(Schema):
    """One sentence that says what is wrong."""

    error: str


class Detail(Schema):
    """Why the request was not taken."""

    detail: str


class PerClient(AuthRateThrottle):
    """So many questions a minute for each client."""

    def get_cache_key(self, request: HttpRequest) -> str:
        """Return the counter of the client that asks."""
        return f"api-client-{request.auth.pk}"  # type: ignore[attr-defined]  # ninja sets it


class LawAPI(NinjaAPI):
    """The API with a description that knows the documents uploaded meanwhile."""

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        """Return the description; its questions name the documents that are known now."""
        described = super().get_openapi_schema(**kwargs)
        [asked] = described["paths"].values()
        question = asked["post"]["requestBody"]["content"]["application/json"]
        question["schema"], parts = openapi.questions(list(services.library().documents))
        described["components"]["schemas"] |= parts
        answer = asked["post"]["responses"][200]["content"]["application/json"]
        answer["schema"] = openapi.answers()
        return described


api = LawAPI(
    title="Wangge",
    version="1",
    description="Questions to the law in force. Dates are local days in Asia/Shanghai.",
    docs_url=None,
)


@api.post(
    "ask",
    auth=ClientKey(),
    throttle=[PerClient(f"{QUESTIONS_A_MINUTE}/m")],
    response={
        200: dict[str, Any],
        401: Detail,
        409: Refusal,
        413: Refusal,
        422: Refusal,
        429: Detail,
    },
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {}}}},
    summary="One question, one answer",
)
def ask(request: HttpRequest) -> Status[dict[str, Any]]:
    """
    Answer one question of the contract.

    A question by area and day is answered by the document that was put in force there, as the
    pages say; where nobody has put one in force, by the own days of the documents that come with
    the portal. 422 with a sentence for a question that is not understood, 409 for one whose
    values contradict each other or ask for a day on which no document is in force.
    """
    try:
        return Status(200, consider_line(request.body, library_in_force(now=clock.now())))
    except RequestDataTooBig:
        return Status(413, {"error": "The question is longer than any."})
    except ContradictionError as refused:
        return Status(409, {"error": refused.text.en})
    except BadQuestionError as refused:
        return Status(422, {"error": refused.text.en})


def urls() -> tuple[list[URLPattern | URLResolver], str, str]:
    """Return the API's addresses, open to programs that have a key instead of a sign-in."""
    patterns, app, namespace = api.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            login_not_required(pattern.callback)
    return patterns, app, namespace
