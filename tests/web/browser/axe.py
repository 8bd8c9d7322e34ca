"""Whether a page can be used by everybody, as far as a machine can tell: axe-core, WCAG 2.2 A and AA."""

from pathlib import Path

from playwright.sync_api import Page

_SOURCE = (Path(__file__).parent / "vendored" / "axe.min.js").read_text("utf-8")
_RUN = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run(document, {runOnly: rules});
  const told = (rule, node) => `${rule.id}: ${node.target.join(" ")}: ${node.html.slice(0, 160)}`;
  return found.violations.flatMap((rule) => rule.nodes.map((node) => told(rule, node)));
}"""


def violations(page: Page) -> list[str]:
    """What axe says against a page as it stands: the rule, where, and the element."""
    page.evaluate(_SOURCE)
    found: list[str] = page.evaluate(_RUN)
    return found
