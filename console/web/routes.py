"""Every group of doors, by the page they belong to."""

from __future__ import annotations

from console.web import days, helping, home, metrics
from console.web.admin import absence_routes as absences
from console.web.admin import access_routes as access
from console.web.admin import account_routes as accounts
from console.web.admin import change_routes as changes
from console.web.admin import delegation_routes as delegations
from console.web.admin import routes as admin
from console.web.admin import token_routes as tokens
from console.web.admin import unit_routes as units
from console.web.auditing import routes as auditing
from console.web.auditing import what_if_routes as audit_what_if
from console.web.auditing import work_routes as audit_work
from console.web.batches import routes as batches
from console.web.bulk import routes as bulk
from console.web.cases import acts, copying, correcting, evidence, nudging, signers
from console.web.cases import routes as cases
from console.web.definitions import routes as definitions
from console.web.definitions import template_routes as templates
from console.web.files import routes as files
from console.web.lists import routes as lists
from console.web.my import checking, filling, reporting, signing, uploading
from console.web.my import home as my_home
from console.web.queue import at_work, deciding, undoing
from console.web.queue import routes as queue
from console.web.signing_in import again, first_use, own_settings, school
from console.web.signing_in import routes as signing_in

ALL = (
    home.doors,
    days.doors,
    metrics.doors,
    helping.doors,
    auditing.doors,
    audit_work.doors,
    audit_what_if.doors,
    batches.doors,
    lists.doors,
    my_home.doors,
    checking.doors,
    filling.doors,
    reporting.doors,
    signing.doors,
    uploading.doors,
    signing_in.doors,
    again.doors,
    first_use.doors,
    own_settings.doors,
    school.doors,
    cases.doors,
    acts.doors,
    signers.doors,
    correcting.doors,
    nudging.doors,
    copying.doors,
    evidence.doors,
    queue.doors,
    deciding.doors,
    undoing.doors,
    at_work.doors,
    bulk.doors,
    files.doors,
    admin.doors,
    accounts.doors,
    definitions.doors,
    units.doors,
    delegations.doors,
    absences.doors,
    access.doors,
    tokens.doors,
    changes.doors,
    templates.doors,
)
