"""BPMN 2.0 as XML, with the places of everything on paper, so that bpmn.io and Camunda Modeler open it.

Source: OMG BPMN 2.0.2 (ISO/IEC 19510), chapters 7 to 12; diagram interchange: BPMNDI, DC, DI.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from exchange.layouts import Block, Layout, Line, Point, layout
from exchange.processes import Flow, Node, NodeKind, Process

_MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
_DC = "http://www.omg.org/spec/DD/20100524/DC"
_DI = "http://www.omg.org/spec/DD/20100524/DI"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_PREFIXES = {"bpmn": _MODEL, "bpmndi": _BPMNDI, "dc": _DC, "di": _DI, "xsi": _XSI}

_SIZES = {NodeKind.STATE: (50.0, 50.0), NodeKind.BY_HAND: (120.0, 60.0), NodeKind.BY_ITSELF: (120.0, 60.0)}
_EVENT = (36.0, 36.0)
_LABEL_HEIGHT, _LETTER = 16.0, 12.0
_POOL_HEAD = 30.0  # of a pool and of each lane, where their names stand upright
_PAPER, _RIM = 40.0, 14.0


def bpmn(process: Process) -> str:
    """The process as a BPMN file."""
    for prefix, uri in _PREFIXES.items():
        register_namespace(prefix, uri)
    root = Element(f"{{{_MODEL}}}definitions", {"id": "definitions", "targetNamespace": "urn:xueji:workflow"})
    pool = SubElement(root, f"{{{_MODEL}}}collaboration", {"id": "collaboration"})
    of = {"id": "pool", "name": process.title, "processRef": _process_id(process)}
    SubElement(pool, f"{{{_MODEL}}}participant", of)
    _write_process(root, process)
    _write_diagram(root, process)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _process_id(process: Process) -> str:
    return f"process.{process.id}"


def _flow_id(place: int) -> str:
    return f"flow.{place}"


def _write_process(root: Element, process: Process) -> None:
    own = SubElement(root, f"{{{_MODEL}}}process", {"id": _process_id(process), "isExecutable": "false"})
    lanes = SubElement(own, f"{{{_MODEL}}}laneSet", {"id": "lanes"})
    for place, name in enumerate(process.lanes):
        lane = SubElement(lanes, f"{{{_MODEL}}}lane", {"id": f"lane.{place}", "name": name})
        for node in process.nodes:
            if node.lane == name:
                SubElement(lane, f"{{{_MODEL}}}flowNodeRef").text = node.id
    flows = list(enumerate(process.flows))
    for node in process.nodes:
        incoming = [_flow_id(place) for place, flow in flows if flow.target == node.id]
        outgoing = [_flow_id(place) for place, flow in flows if flow.source == node.id]
        _write_node(own, node, incoming, outgoing)
    for place, flow in flows:
        ends = {"id": _flow_id(place), "sourceRef": flow.source, "targetRef": flow.target}
        SubElement(own, f"{{{_MODEL}}}sequenceFlow", ends)


def _write_node(own: Element, node: Node, incoming: Sequence[str], outgoing: Sequence[str]) -> None:
    """A node with its parts in the order of the schema: documentation, flows, then what is its own."""
    element = SubElement(own, f"{{{_MODEL}}}{node.kind}", {"id": node.id})
    if node.name:
        element.set("name", node.name)
    if node.documentation:
        SubElement(element, f"{{{_MODEL}}}documentation").text = node.documentation
    for name, flows in (("incoming", incoming), ("outgoing", outgoing)):
        for flow in flows:
            SubElement(element, f"{{{_MODEL}}}{name}").text = flow
    if node.kind is NodeKind.TIMER:
        timer = SubElement(element, f"{{{_MODEL}}}timerEventDefinition", {"id": f"{node.id}.date"})
        SubElement(timer, f"{{{_MODEL}}}timeDate", {f"{{{_XSI}}}type": "bpmn:tFormalExpression"}).text = node.due
    if node.signers:
        signed = {"isSequential": "true" if node.signers == "sequence" else "false"}
        SubElement(element, f"{{{_MODEL}}}multiInstanceLoopCharacteristics", signed)


def _write_diagram(root: Element, process: Process) -> None:
    diagram = SubElement(root, f"{{{_BPMNDI}}}BPMNDiagram", {"id": "diagram"})
    plane = SubElement(diagram, f"{{{_BPMNDI}}}BPMNPlane", {"id": "plane", "bpmnElement": "collaboration"})
    blocks = {node.id: _block(node, process.lanes.index(node.lane)) for node in process.nodes}
    lines = [Line(source=one.source, target=one.target, is_back=one.is_back) for one in process.flows]
    placed = layout(list(blocks.values()), lines, downwards=False)
    _draw_pool(plane, process, placed)
    nodes = {node.id: node for node in process.nodes}
    for node in process.nodes:
        _draw_node(plane, node, _on_paper(placed.centres[node.id]))
    for place, (flow, corners) in enumerate(zip(process.flows, placed.lines, strict=True)):
        edge = SubElement(
            plane, f"{{{_BPMNDI}}}BPMNEdge", {"id": f"{_flow_id(place)}.drawn", "bpmnElement": _flow_id(place)}
        )
        for corner in _docked(flow, nodes, placed, corners):
            at = _on_paper(corner)
            SubElement(edge, f"{{{_DI}}}waypoint", {"x": f"{at.x:g}", "y": f"{at.y:g}"})


def _on_paper(point: Point) -> Point:
    return Point(round(point.x + _PAPER + 2 * _POOL_HEAD, 1), round(point.y + _PAPER, 1))


def _size(node: Node) -> tuple[float, float]:
    return _SIZES.get(node.kind, _EVENT)


def _block(node: Node, lane: int) -> Block:
    """The room a node takes: what is no task has its name below, and the same room above, to stay in the middle."""
    width, height = _size(node)
    if node.kind in (NodeKind.BY_HAND, NodeKind.BY_ITSELF):
        return Block(name=node.id, width=width, height=height, lane=lane)
    below = 2 * (_LABEL_HEIGHT + 6) if node.name else 0
    return Block(name=node.id, width=max(width, _label_width(node)) + 20, height=height + below, lane=lane)


def _label_width(node: Node) -> float:
    return len(node.name) * _LETTER + 4


def _draw_pool(plane: Element, process: Process, placed: Layout) -> None:
    """The pool and its lanes, with a rim above and below, for lines may run along the edge."""
    width, height = placed.width + _POOL_HEAD, placed.height + 2 * _RIM
    _shape(plane, "pool", (_PAPER, _PAPER - _RIM, width + _POOL_HEAD, height), horizontal=True)
    for name, (top, bottom) in _lane_edges(process, placed).items():
        at = (_PAPER + _POOL_HEAD, _PAPER + top, width, bottom - top)
        _shape(plane, f"lane.{process.lanes.index(name)}", at, horizontal=True)


def _lane_edges(process: Process, placed: Layout) -> Mapping[str, tuple[float, float]]:
    """From where to where each lane reaches: half-way between what is in one and in the next, the outer two all out."""
    reach: dict[str, tuple[float, float]] = {}
    for node in process.nodes:
        middle, half = placed.centres[node.id].y, _size(node)[1] / 2
        top, bottom = reach.get(node.lane, (middle, middle))
        reach[node.lane] = (min(top, middle - half), max(bottom, middle + half))
    order = sorted(reach, key=lambda lane: reach[lane])
    borders = [(reach[one][1] + reach[other][0]) / 2 for one, other in pairwise(order)]
    return dict(zip(order, pairwise([-_RIM, *borders, placed.height + _RIM]), strict=True))


def _draw_node(plane: Element, node: Node, centre: Point) -> None:
    width, height = _size(node)
    shape = _shape(plane, node.id, (centre.x - width / 2, centre.y - height / 2, width, height))
    if node.kind is NodeKind.STATE:
        shape.set("isMarkerVisible", "true")
    if node.name and node.kind not in (NodeKind.BY_HAND, NodeKind.BY_ITSELF):
        label = SubElement(shape, f"{{{_BPMNDI}}}BPMNLabel")
        wide = _label_width(node)
        _bounds(label, (centre.x - wide / 2, centre.y + height / 2 + 4, wide, _LABEL_HEIGHT))


def _shape(plane: Element, of: str, bounds: tuple[float, float, float, float], *, horizontal: bool = False) -> Element:
    shape = SubElement(plane, f"{{{_BPMNDI}}}BPMNShape", {"id": f"{of}.drawn", "bpmnElement": of})
    if horizontal:
        shape.set("isHorizontal", "true")
    _bounds(shape, bounds)
    return shape


def _bounds(parent: Element, bounds: tuple[float, float, float, float]) -> None:
    values = zip(("x", "y", "width", "height"), bounds, strict=True)
    SubElement(parent, f"{{{_DC}}}Bounds", {name: f"{round(value, 1):g}" for name, value in values})


def _docked(flow: Flow, nodes: dict[str, Node], placed: Layout, corners: Sequence[Point]) -> list[Point]:
    """A line led on from the edge of the room its ends take to the ends themselves."""
    start = _dock(nodes[flow.source], placed.centres[flow.source], corners[0])
    end = _dock(nodes[flow.target], placed.centres[flow.target], corners[-1])
    return [*start[::-1], *corners, *end]


def _dock(node: Node, centre: Point, edge: Point) -> list[Point]:
    """From a point on the edge of a node's room to the node: along the edge to its middle, then straight in."""
    if node.kind in (NodeKind.BY_HAND, NodeKind.BY_ITSELF):
        return []
    width, height = _size(node)
    block = _block(node, 0)
    if abs(abs(edge.x - centre.x) - block.width / 2) < 1:
        side = 1 if edge.x > centre.x else -1
        return [Point(edge.x, centre.y), Point(centre.x + side * width / 2, centre.y)]
    side = 1 if edge.y > centre.y else -1
    return [Point(centre.x, edge.y), Point(centre.x, centre.y + side * height / 2)]
