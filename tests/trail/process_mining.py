"""The proof by somebody else's program: pm4py replays an exported log on the net of an exported workflow.

    xueji audit xes LOG.xes --as AUDITOR
    xueji draw WORKFLOW FLOW.bpmn --as bpmn --profile P
    python -m venv ELSEWHERE && ELSEWHERE/bin/pip install pm4py
    ELSEWHERE/bin/python tests/trail/process_mining.py LOG.xes FLOW.bpmn WORKFLOW

pm4py is no dependency of xueji: it has a licence of its own (AGPL) and is asked in an environment of its own.
Every case must replay with fitness 1, one that is still open up to the state it stands in; the same cases with one
step left out, or one taken twice, must not.
"""

import importlib
import sys
import warnings
from collections import Counter


def main(log_file, bpmn_file, workflow):
    """Replay the cases of one workflow; 1 if one does not fit, or a forged one does."""
    try:
        pm4py = importlib.import_module("pm4py")
    except ModuleNotFoundError:
        say("pm4py is not installed here; see the head of this file.")
        return 2
    warnings.filterwarnings("ignore")
    net, start, ends = net_of(pm4py, bpmn_file)
    log = pm4py.read_xes(log_file)
    cases = cases_of(log[log["case:xueji:workflow"] == workflow])
    fits = [replayed(net, start, end_of(net, ends, case), case["steps"]) for case in cases]
    forged = [
        (end_of(net, ends, case), steps)
        for case in cases
        for steps in forgeries(case["steps"])
        if len(case["steps"]) > 2
    ]
    passed = [replayed(net, start, end, steps) for end, steps in forged]
    whole = Counter(case["final"] for case in cases)
    say(f"cases {len(cases)}: {whole['true']} ended, {whole['false']} open")
    say(f"fitness: lowest {min(fits):.3f}, mean {sum(fits) / len(fits):.3f}")
    say(f"forged traces {len(passed)}: highest fitness {max(passed, default=0):.3f}")
    return 0 if min(fits) == 1 and max(passed, default=0) < 1 else 1


def say(text):
    """Tell what was found."""
    sys.stdout.write(f"{text}\n")


def net_of(pm4py, bpmn_file):
    """The Petri net of a BPMN file by pm4py's own converter, its tasks called by their triggers."""
    diagram = pm4py.read_bpmn(bpmn_file)
    for node in diagram.get_nodes():
        if node.get_id().startswith("step."):
            node.set_name(node.get_id().split(".")[1])
    return pm4py.convert_to_petri_net(diagram)


def cases_of(log):
    """Each case with its steps in order, and where it stands."""
    return [
        {
            "steps": list(rows["concept:name"]),
            "state": rows["case:xueji:state"].iloc[0],
            "final": rows["case:xueji:final"].iloc[0],
        }
        for _, rows in log.groupby("case:concept:name", sort=False)
    ]


def end_of(net, ends, case):
    """Where a case's token must be: at the end, or for one still open behind the gateway of its state."""
    if case["final"] == "true":
        return ends
    place = next(place for place in net.places if place.name == f"exi_state.{case['state']}")
    return type(ends)({place: 1})


def forgeries(steps):
    """The case with its first step after the opening left out, and with it taken twice over."""
    yield [steps[0], *steps[2:]]
    yield [*steps[:2], *steps[1:]]


def replayed(net, start, end, steps):
    """The fitness of one trace by token-based replay."""
    objects = importlib.import_module("pm4py.objects.log.obj")
    trace = objects.Trace([objects.Event({"concept:name": step}) for step in steps])
    algorithm = importlib.import_module("pm4py.algo.conformance.tokenreplay.algorithm")
    parameters = {algorithm.Variants.TOKEN_REPLAY.value.Parameters.SHOW_PROGRESS_BAR: False}
    (found,) = algorithm.apply(objects.EventLog([trace]), net, start, end, parameters=parameters)
    return found["trace_fitness"]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
