"""Sign-in and its settings, areas, accounts, audit."""

from allauth.account import views as sign_in
from allauth.usersessions import views as sessions
from django.urls import URLPattern, URLResolver, include, path

from accounts import views

# Only the views of allauth in use: no sign-up, no e-mail addresses, no password by mail.
urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/login/", sign_in.login, name="account_login"),
    path("accounts/logout/", sign_in.logout, name="account_logout"),
    path("accounts/inactive/", sign_in.account_inactive, name="account_inactive"),
    path("accounts/reauthenticate/", sign_in.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/", sign_in.password_change, name="account_change_password"),
    path("accounts/email/", views.own_email, name="own_email"),
    path("accounts/activate/", views.activate, name="activate"),
    path("accounts/history/", views.own_history, name="own_history"),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/sessions/", sessions.list_usersessions, name="usersessions_list"),
    path("accounts/session/", views.session, name="session"),
    # /areas/
    path("areas/", views.area_list, name="area_list"),
    path("areas/<slug:code>/", views.area_detail, name="area_detail"),
    path("areas/<slug:code>/grids/new/", views.grid_new, name="grid_new"),
    # /people/; to make, change or close an account see portal.staffing
    path("people/", views.people_list, name="people_list"),
    # /audit/
    path("audit/", views.audit_list, name="audit_list"),
]
