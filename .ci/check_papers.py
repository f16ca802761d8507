#!/usr/bin/env python3
"""Every link from a paper to a file leads somewhere; docs/errors.md lists exactly the sources' codes."""

import pathlib
import re
import sys

CODE = re.compile(r"\bA-\d{3}\b")
ROOT = pathlib.Path(__file__).resolve().parent.parent
CRATES = ["model", "sync", "agent", "relay", "desktop"]


def broken_links():
    papers = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
    for paper in papers:
        for target in re.findall(r"\]\(([^)#\s]+)", paper.read_text()):
            if "://" not in target and not (paper.parent / target).exists():
                yield f"{paper.relative_to(ROOT)}: no such file: {target}"


def codes_of_sources():
    found = {}
    for crate in CRATES:
        for source in sorted((ROOT / crate).rglob("src/**/*.rs")):
            for code in CODE.findall(source.read_text()):
                found.setdefault(code, source.relative_to(ROOT))
    return found


def wrong_codes():
    listed = CODE.findall((ROOT / "docs/errors.md").read_text())
    used = codes_of_sources()
    for code in sorted(set(listed)):
        if code not in used:
            yield f"docs/errors.md: no source uses {code}"
        if listed.count(code) > 1:
            yield f"docs/errors.md: {code} is listed twice"
    for code, source in sorted(used.items()):
        if code not in listed:
            yield f"{source}: {code} is not in docs/errors.md"


faults = list(broken_links()) + list(wrong_codes())
sys.exit("\n".join(faults) if faults else 0)
