#!/usr/bin/env python3
"""Checks from outside what `aramaki demo --headless --json` says of itself.

Usage: check_demo.py RESULT.json FOLDER MARKER SECOND.json

FOLDER holds the kept demo. MARKER was planted in a note: the second person reads it (SECOND.json is what
that replica exports), and it is in no file of the relay. The search itself must be able to fail, so a file
written next to them with the marker must be found.
"""

import json
import pathlib
import sys


def fail(reason):
    sys.exit(f"demo: {reason}")


def files_with(marker, folder):
    """Files under `folder` that hold the marker, as text or as UTF-16."""
    needles = [marker.encode(), marker.encode("utf-16-le")]
    found, seen = [], 0
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            seen += 1
            content = path.read_bytes()
            if any(needle in content for needle in needles):
                found.append(path)
    return found, seen


def main(result, folder, marker, second):
    said = json.loads(pathlib.Path(result).read_text())
    print("   " + json.dumps(said))

    for key in ("replicas", "envelopes_sent", "bytes_sent", "transitions", "converged", "digests",
                "propagation_p50_ms", "propagation_p95_ms"):
        if key not in said:
            fail(f"`{key}` is missing")
    if said["converged"] is not True:
        fail("not converged")
    digests = said["digests"]
    digests = list(digests.values()) if isinstance(digests, dict) else digests
    if len(digests) < 2 or len(set(digests)) != 1 or not all(digests):
        fail(f"digests differ: {digests}")
    if said["replicas"] < 2:
        fail("fewer than two replicas")
    for key in ("transitions", "envelopes_sent", "bytes_sent"):
        if said[key] < 1:
            fail(f"{key} is {said[key]}")
    if not 0 <= said["propagation_p50_ms"] <= said["propagation_p95_ms"] < 10_000:
        fail("propagation figures make no sense")

    if marker not in pathlib.Path(second).read_text():
        fail("the second person does not read the planted marker")

    relays = [path for path in pathlib.Path(folder).rglob("*relay*") if path.is_dir()]
    if not relays:
        fail(f"no relay folder in {folder}")
    stored = 0
    for relay in relays:
        found, seen = files_with(marker, relay)
        stored += seen
        if found:
            fail(f"the planted marker is readable in {found}")
    if stored == 0:
        fail("the relay stored no file")

    control = relays[0] / "marker-control"
    control.write_text(f"...{marker}...")
    if files_with(marker, relays[0])[0] != [control]:
        fail("the search for the marker does not find it where it is")
    control.unlink()
    print(f"   marker in none of {stored} relay files")


if __name__ == "__main__":
    main(*sys.argv[1:])
