"""Every group of doors, by the page they belong to."""

from __future__ import annotations

from console.web import helping, home, metrics
from console.web.admin import routes as admin
from console.web.auditing import routes as auditing
from console.web.batches import routes as batches
from console.web.bulk import routes as bulk
from console.web.cases import acts, evidence
from console.web.cases import routes as cases
from console.web.my import checking, filling, reporting, signing, uploading
from console.web.my import home as my_home
from console.web.queue import at_work, deciding, undoing
from console.web.queue import routes as queue
from console.web.signing_in import again, first_use, own_settings, school
from console.web.signing_in import routes as signing_in

ALL = (
    home.doors,
    metrics.doors,
    helping.doors,
    auditing.doors,
    batches.doors,
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
    evidence.doors,
    queue.doors,
    deciding.doors,
    undoing.doors,
    at_work.doors,
    bulk.doors,
    admin.doors,
)
