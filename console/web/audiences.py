"""Whom a route is for, and to which of these a person belongs."""

from __future__ import annotations

from enum import StrEnum

from engine.actors import Actor


class Audience(StrEnum):
    """Whom a route is for. Whoever is not among them is answered as if there were no such page.

    `PARTAKER` is whoever may have a part in a case: staff, students, third parties. Auditors read only.
    `BATCHES` are who brings batches in and who publishes them.
    """

    ANYONE = "anyone"
    SIGNED_IN = "signed-in"
    STAFF = "staff"
    STUDENT = "student"
    PARTAKER = "partaker"
    RECORDS = "records"
    BATCHES = "batches"
    AUDITOR = "auditor"
    SYSTEM_ADMIN = "system-admin"
    SECURITY_ADMIN = "security-admin"
    AUDIT_ADMIN = "audit-admin"
    ADMIN = "admin"

    def admits(self, actor: Actor) -> bool:
        """Whether a person is among them; `ANYONE` and `SIGNED_IN` are for the caller to tell apart."""
        return self in (Audience.ANYONE, Audience.SIGNED_IN) or self in audiences(actor)


_ADMINS = {
    "system_admin": Audience.SYSTEM_ADMIN,
    "security_admin": Audience.SECURITY_ADMIN,
    "audit_admin": Audience.AUDIT_ADMIN,
}


def audiences(actor: Actor) -> frozenset[Audience]:
    """The audiences a person belongs to: by the roles held and lent, and as a student.

    An auditor is one in the own right: nobody lends it (`engine.exporting`, `engine.noting`).
    """
    roles = {grant.role for grant in (*actor.grants, *actor.delegated)}
    found = {_ADMINS[role] for role in roles & _ADMINS.keys()}
    if found:
        found.add(Audience.ADMIN)
    if any(grant.role == "auditor" for grant in actor.grants):
        found.add(Audience.AUDITOR)
    if "records_section" in roles:
        found.add(Audience.RECORDS)
    if found & {Audience.RECORDS, Audience.SYSTEM_ADMIN}:
        found.add(Audience.BATCHES)
    if roles - _ADMINS.keys() - {"auditor", "third_party", "student"}:
        found.add(Audience.STAFF)
    if actor.student is not None:
        found.add(Audience.STUDENT)
    if actor.student is not None or roles - _ADMINS.keys() - {"auditor"}:
        found.add(Audience.PARTAKER)
    return frozenset(found)
