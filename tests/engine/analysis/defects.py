"""Small edits of definitions in order: the code of the fault each must bring out, and the text where it stands."""

LEAVE, RECORD, TRIP = "workflows/leave.yaml", "workflows/record.yaml", "workflows/trip.yaml"
LEAVES = "from: enrolled, to: left, by: clerk}"
ONLY_RECORD = (RECORD, "record: true", "record: true\nunique: ever")
BACK = "  back: {title: {zh: 退回, en: Send back}, from: asked, to: asked, kind: return, by: head}\n"
FINAL = "  granted: {title: {zh: 已批准, en: Granted}, final: true}\n"
DAYS = "  days: {type: number, title: {zh: 天数, en: Days}}\n"
FLAG = DAYS + "  urgent: {type: yes_no, starts: false, title: {zh: 加急, en: Urgent}}\n"
GO = "{title: {zh: 办理, en: Go}, "
GRANT = "    by: head\n    needs"
ROUNDS = "rounds: 3\n"
TIMER = "settled: paid, due"
IS_URGENT = (
    "is-urgent: {id: G-8, title: {zh: 加急, en: Urgent}, holds: case.urgent, otherwise: {zh: 否, en: no},"
    " remedy: {by: clerk, zh: 加急, en: urge}, source: S-1}\nready:"
)
LEAVE_NOTE = "      - {fire: record.note, with: {remark: \"'请假'\"}}\n"


def state(name, extra=""):
    """One more state."""
    return (LEAVE, FINAL, f"{FINAL}  {name}: {{title: {{zh: 等待, en: Wait}}{extra}}}\n")


def steps(*texts):
    """More steps of a leave."""
    return (LEAVE, BACK, BACK + "".join(f"  {text}\n" for text in texts))


def step(name, text):
    """One step in a line."""
    return f"{name}: {GO}{text}}}"


MARK = step("mark", "from: asked, by: clerk, set: {case.urgent: true}")
FLAGGED = (LEAVE, DAYS, FLAG)
NEEDS = (LEAVE, "    needs: [F-01]\n", "    needs: [F-01]\n    applies: not case.urgent\n")
NO_BACK = (LEAVE, BACK, "")

DEFECTS = {
    # the graph
    "a-move-out-of-a-final-state": (
        "leaves-final",
        [steps(step("undo", "from: granted, to: asked, kind: return, by: head"))],
        "granted",
    ),
    "a-circle-without-exit": (
        "no-way-out",
        [
            state("a"),
            state("b"),
            steps(
                step("go", "from: [asked, b], to: a, by: head"),
                step("again", "from: a, to: b, kind: return, by: head"),
            ),
        ],
        "",
    ),
    "a-state-that-nothing-leads-on-from": (
        "nobody-waits",
        [state("limbo"), steps(step("go", "from: asked, to: limbo, by: head"))],
        "limbo",
    ),
    "ways-out-that-nobody-can-mend": (
        "trap",
        [
            (LEAVE, "    needs: [F-01]\n", "    needs: [F-01]\n    guards: [on-roll]\n"),
            (LEAVE, BACK, BACK.replace("by: head", "by: head, guards: [on-roll]")),
        ],
        "asked",
    ),
    "a-forward-circle": ("uncapped-loop", [(LEAVE, "to: asked, kind: return", "to: asked")], "asked"),
    "a-no-that-leads-nowhere": ("against-not-open", [(LEAVE, "from: closed, to: open", "from: open, to: open")], ""),
    "a-timed-step-without-a-deadline": ("timer", [steps(step("lapse", "from: asked, to: cancelled, by: timer"))], ""),
    "a-timed-step-that-asks": (
        "timer",
        [
            steps(step("lapse", "from: asked, to: cancelled, by: timer, asks: [days]")),
            (LEAVE, TIMER, "missed: {fire: lapse}, due"),
        ],
        "lapse",
    ),
    "a-deadline-that-fires-what-is-not-timed": ("timer", [(LEAVE, TIMER, "missed: {fire: back}, due")], "back"),
    "a-deadline-that-fires-elsewhere": (
        "timer",
        [
            state("held"),
            steps(
                step("hold", "from: asked, to: held, by: head"), step("lapse", "from: held, to: cancelled, by: timer")
            ),
            (LEAVE, TIMER, "missed: {fire: lapse}, due"),
        ],
        "lapse",
    ),
    "an-act-that-cannot-be-taken-back": (
        "retract-effect",
        [(LEAVE, GRANT, "    by: head\n    retractable: true\n    needs")],
        "true",
    ),
    "what-a-case-is-about-changed": (
        "moves-identity",
        [(TRIP, "to: back, by: clerk", "to: back, by: clerk, asks: [place]")],
        "return",
    ),
    "a-due-date-that-reads-the-clock": (
        "reads-the-clock",
        [(LEAVE, "days_after(case.opened_on", "days_after(today")],
        "",
    ),
    # people
    "a-role-nobody-holds-there": ("nobody-can", [(LEAVE, GRANT, "    by: {role: teacher, at: school}\n    needs")], ""),
    "a-step-without-anybody": ("nobody-can", [(LEAVE, GRANT, "    needs")], "grant"),
    "who-files-may-approve": ("one-person-alone", [(LEAVE, GRANT, "    by: [head, clerk]\n    needs")], "grant"),
    "distinct-names-another-signature": (
        "one-person-alone",
        [
            (LEAVE, GRANT, "    sign: {slots: {a: {role: clerk}, b: {role: head}}}\n    needs"),
            (LEAVE, ROUNDS, ROUNDS + "distinct: [[ask, grant.b]]\n"),
        ],
        "grant",
    ),
    "distinct-forgets-at-a-rest": (
        "one-person-alone",
        [
            state("resting", ", rests: true"),
            steps(
                step("rest", "from: asked, to: resting, by: head"),
                step("finish", "from: resting, to: granted, by: clerk"),
            ),
            (LEAVE, ROUNDS, ROUNDS + "distinct: [[ask, finish]]\n"),
        ],
        "finish",
    ),
    "who-files-may-approve-by-the-list": (
        "one-person-alone",
        [
            steps(step("pass", "from: asked, to: granted, by: effect")),
            (LEAVE, ROUNDS, ROUNDS + "distinct: [[ask, pass]]\n"),
            (LEAVE, "{role: head}}}}", "{role: clerk}}}, then: [{fire: members.pass}]}"),
        ],
        "",
    ),
    "signatures-that-may-all-fall-away": (
        "slots-may-be-empty",
        [(LEAVE, "{role: head}", "{role: head, applies: case.late}")],
        "",
    ),
    "more-signatures-than-slots": (
        "never-full",
        [(LEAVE, "sign: {against: reopen,", "sign: {quorum: 2, against: reopen,")],
        "2",
    ),
    "a-quorum-of-nobody": (
        "never-full",
        [(LEAVE, "sign: {against: reopen,", "sign: {quorum: 0, against: reopen,")],
        "0",
    ),
    "signing-a-list-that-still-changes": (
        "signed-while-open",
        [(LEAVE, "en: Closed}, frozen: true}", "en: Closed}}")],
        "closed",
    ),
    "fewer-signatures-apply-than-are-asked-for": (
        "never-full",
        [
            FLAGGED,
            (
                LEAVE,
                GRANT,
                "    sign: {quorum: 2, slots: {a: {role: head}, b: {role: head, applies: case.urgent}}}\n    needs",
            ),
            steps(MARK),
        ],
        "2",
    ),
    # links
    "an-effect-that-is-not-allowed": ("effect-not-allowed", [(RECORD, "by: effect", "by: clerk")], "record.note"),
    "an-effect-that-does-not-give-what-is-asked": (
        "effect-asks",
        [(LEAVE, ", with: {remark: \"'请假'\"}", "")],
        "record.note",
    ),
    "a-step-that-only-effects-take-and-none-does": ("nothing-fires", [(LEAVE, LEAVE_NOTE, "")], "note"),
    "an-opening-without-what-it-is-about": (
        "opening-lacks",
        [(LEAVE, ", with: {place: \"'外地'\"}", "")],
        "trip.start",
    ),
    "effects-that-lead-back": (
        "effect-cycle",
        [
            (
                RECORD,
                "by: effect, asks: [remark]}",
                "by: effect, asks: [remark], then: [{fire: leave.again, expects: any}]}",
            ),
            steps(step("again", "from: asked, by: effect, then: [{fire: record.note, with: {remark: \"''\"}}]")),
        ],
        "",
    ),
    "one-act-fires-one-step-twice": ("double-firing", [(LEAVE, LEAVE_NOTE, LEAVE_NOTE * 2)], ""),
    "an-effect-of-an-effect-fires-again": (
        "double-firing",
        [
            (
                RECORD,
                "by: effect, asks: [remark]}",
                "by: effect, asks: [remark]}\n  "
                + step("tick", "from: enrolled, by: effect, then: [{fire: record.note, with: {remark: \"''\"}}]"),
            ),
            (LEAVE, LEAVE_NOTE, LEAVE_NOTE + "      - {fire: record.tick}\n"),
        ],
        "",
    ),
    "effects-that-exclude-each-other": (
        "effect-not-allowed",
        [
            (RECORD, LEAVES, LEAVES.replace("by: clerk", "by: [clerk, effect]")),
            (LEAVE, LEAVE_NOTE, "      - {fire: record.leave}\n" + LEAVE_NOTE),
        ],
        "",
    ),
    "a-case-that-waits-for-a-record-that-is-gone": ("stuck", [ONLY_RECORD], "asked"),
    "a-case-that-waits-for-a-trip-that-is-over": (
        "stuck",
        [
            (TRIP, "about: [student, case.place]", "unique: ever\nabout: [student, case.place]"),
            (TRIP, "to: back, by: clerk}", "to: back, by: clerk}\n  " + step("note", "from: away, by: effect")),
            (LEAVE, LEAVE_NOTE, "      - {fire: trip.note}\n" + LEAVE_NOTE),
        ],
        "asked",
    ),
    # what only walking shows
    "a-state-that-nothing-leads-to": ("unreachable", [state("lost", ", final: true")], "lost"),
    "a-state-behind-a-field-that-is-never-set": (
        "unreachable",
        [
            FLAGGED,
            state("fast", ", final: true"),
            steps(step("go", "from: asked, to: fast, by: head, applies: case.urgent")),
        ],
        "fast",
    ),
    "a-step-that-asks-and-excludes-one-rule": (
        "unreachable",
        [steps(step("go", "from: asked, to: granted, by: head, guards: [paid], unless: [paid]"))],
        "go",
    ),
    "a-step-that-never-applies": (
        "unreachable",
        [steps(step("go", "from: asked, to: granted, by: head, applies: false"))],
        "go",
    ),
    "a-set-of-rules-that-is-excluded-by-its-part": (
        "unreachable",
        [steps(step("go", "from: asked, to: granted, by: head, guards: [ready], unless: [paid]"))],
        "go",
    ),
    "a-rule-over-the-own-field-that-is-never-set": (
        "unreachable",
        [
            FLAGGED,
            ("rules/conditions.yaml", "ready:", IS_URGENT),
            steps(step("go", "from: asked, to: granted, by: head, guards: [is-urgent]")),
        ],
        "go",
    ),
    "returns-used-up-and-nothing-else-left": (
        "stuck",
        [
            state("held"),
            steps(
                step("hold", "from: asked, to: held, by: head"),
                step("free", "from: held, to: asked, kind: return, by: head"),
            ),
        ],
        "held",
    ),
    "a-mark-that-closes-every-way": ("stuck", [FLAGGED, NEEDS, steps(MARK)], "asked"),
    "a-signature-that-asks-what-never-holds": (
        "stuck",
        [
            FLAGGED,
            ("rules/conditions.yaml", "ready:", IS_URGENT),
            NO_BACK,
            (LEAVE, GRANT, "    sign: {slots: {a: {role: head}, b: {role: head, guards: [is-urgent]}}}\n    needs"),
        ],
        "asked",
    ),
    "a-missed-deadline-that-closes-every-way": (
        "stuck",
        [
            FLAGGED,
            NEEDS,
            steps(step("lapse", "from: asked, by: timer, set: {case.urgent: true}")),
            (LEAVE, TIMER, "missed: {fire: lapse}, due"),
        ],
        "asked",
    ),
    "two-who-hand-a-case-to-each-other": (
        "never-ending",
        [
            FLAGGED,
            NEEDS,
            state("held"),
            steps(
                MARK,
                step("hold", "from: asked, to: held, by: head"),
                step("free", "from: held, to: asked, kind: reject, by: head"),
            ),
        ],
        "asked",
    ),
    "the-only-way-left-asks-what-nobody-can-mend": (
        "trap",
        [FLAGGED, NEEDS, steps(MARK, step("finish", "from: asked, to: granted, by: head, guards: [on-roll]")), NO_BACK],
        "asked",
    ),
    "what-is-never-left-is-left": (
        "invariant-broken",
        [(LEAVE, ROUNDS, ROUNDS + "invariants: {INV-1: {never_left: asked}}\n")],
        "INV-1",
    ),
    "a-step-is-skipped": (
        "invariant-broken",
        [
            state("seen"),
            steps(step("look", "from: asked, to: seen, by: head"), step("pass", "from: seen, to: granted, by: head")),
            (LEAVE, ROUNDS, ROUNDS + "invariants: {INV-1: {in_order: [look, grant]}}\n"),
        ],
        "INV-1",
    ),
    "a-step-is-not-repeated-after-a-return": (
        "invariant-broken",
        [
            state("seen"),
            state("judged"),
            steps(
                step("look", "from: asked, to: seen, by: head"),
                step("judge", "from: seen, to: judged, by: head"),
                step("undo", "from: judged, to: asked, kind: return, by: head"),
                step("jump", "from: seen, to: granted, by: head"),
                step("pass", "from: judged, to: granted, by: head"),
            ),
            (LEAVE, ROUNDS, ROUNDS + "invariants: {INV-1: {in_order: [look, judge, jump]}}\n"),
        ],
        "INV-1",
    ),
    "what-always-holds-becomes-false": (
        "invariant-broken",
        [FLAGGED, steps(MARK), (LEAVE, ROUNDS, ROUNDS + "invariants: {INV-1: {holds: not case.urgent}}\n")],
        "INV-1",
    ),
    "two-deadlines-take-one-step": (
        "double-firing",
        [
            steps(step("remark", "from: asked, by: timer")),
            (
                LEAVE,
                "\nrounds",
                "\n  D-2: {title: {zh: 期, en: By}, while: asked, missed: {fire: remark}, due: case.opened_on}\nrounds",
            ),
            (LEAVE, TIMER, "missed: {fire: remark}, due"),
        ],
        "remark",
    ),
}
WITHOUT_STORY = {"a-state-that-nothing-leads-to", "a-state-behind-a-field-that-is-never-set"}
