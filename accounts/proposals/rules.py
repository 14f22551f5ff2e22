"""Who sees a proposal about an account, and who may decide on it."""

from django.utils.translation import gettext as _

from accounts.proposals.models import AccountProposal
from accounts.staff import authority
from accounts.staff.models import Area, User
from accounts.voices import independence


def unfit(*, proposal: AccountProposal, by: User) -> str:
    """
    Return why `by` may not decide on a proposal, "" if they may.

    It must be a second voice of another employer, above the account as it is and as it would be.
    """
    if proposal.account == by:
        return _("Another administrator has to change your own account.")
    if not stands_above(by, proposal):
        return _("Administrators above this account decide on this.")
    return independence.no_second_voice(
        first=proposal.proposed_by, second=by, acted_for=proposal.proposer_employer
    )


def stands_above(user: User, proposal: AccountProposal) -> bool:
    """Return whether `user` stands above an account as it is and as it would be."""
    return bool(_above(user, [proposal]))


def visible_to(user: User) -> list[AccountProposal]:
    """Return the waiting proposals that `user` made or stands above, the latest first."""
    waiting = AccountProposal.objects.waiting().select_related("account", "proposed_by")
    shown = list(waiting.order_by("-proposed_at"))
    above = {each.pk for each in _above(user, shown)}
    return [each for each in shown if each.pk in above or each.proposed_by_id == user.pk]


def _above(user: User, proposals: list[AccountProposal]) -> list[AccountProposal]:
    """Return the proposals whose account lies below `user` before and after, in two queries."""
    accounts = {each.account_id for each in proposals if each.account_id}
    below = set(authority.below(user).filter(pk__in=accounts).values_list("pk", flat=True))
    codes = {code for each in proposals for code in each.values.get("areas", ())}
    paths = dict(Area.objects.filter(code__in=codes).values_list("code", "path"))

    def lies_below(proposal: AccountProposal) -> bool:
        if proposal.account_id and proposal.account_id not in below:
            return False
        if not proposal.values:
            return True
        after = [paths[code] for code in proposal.values["areas"]]
        return authority.stands_below(role=proposal.values["role"], paths=after, by=user)

    return [each for each in proposals if lies_below(each)]
