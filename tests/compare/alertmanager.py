#!/usr/bin/env python3
"""Lists and filters 10,000 open alerts with Alertmanager and with Aramaki, and prints both.

Run it from the repository, on a machine where nothing else runs:

    apt-get install prometheus-alertmanager && tests/compare/alertmanager.py [PROFILE]

Alertmanager is a server: it is asked over HTTP on loopback, as its own page does, and the answer
is read whole. Aramaki has the alerts in memory: measured is what the window does when the page is
opened (filter, group, lay out and tessellate the first frame) and when a filter is typed.
The benchmark is built first, which takes as long as it takes; both measurements together then end
after MEASURE_SECONDS_MAX at the latest.
"""

import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timezone

ALERTS = 10_000
BATCH = 500
ROUNDS = 7
START_SECONDS_MAX = 60
MEASURE_SECONDS_MAX = 100
SUMMARY = "lag of {n} s is more than 10 s: last replayed at {at}"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def alert(n):
    began = datetime.fromtimestamp(time.time() - n, timezone.utc)
    return {
        "labels": {
            "alertname": f"replication_{n % 13}",
            "instance": f"System {n % 1000:04}",
            "severity": ["critical", "unknown", "warning"][n * 3 // ALERTS],
            "n": str(n),
        },
        "annotations": {"summary": SUMMARY.format(n=n, at=n % 777)},
        "startsAt": began.isoformat(),
    }


def ask(url, body=None):
    request = urllib.request.Request(url, data=body)
    if body is not None:
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def until_ready(url, process):
    limit = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < limit:
        if process.poll() is not None:
            sys.exit(f"Alertmanager ended with {process.returncode}")
        try:
            return ask(url + "/-/ready")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    sys.exit("Alertmanager does not get ready")


def median_ms(once):
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        once()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def alertmanager(program):
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"version (\S+)", version.stdout + version.stderr).group(1)
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "alertmanager.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("route: {receiver: nobody, group_by: [instance]}\nreceivers: [{name: nobody}]\n")
        url = f"http://127.0.0.1:{free_port()}"
        arguments = [
            program,
            f"--config.file={config}",
            f"--storage.path={folder}",
            f"--web.listen-address={url.removeprefix('http://')}",
            "--cluster.listen-address=",
        ]
        process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
        try:
            until_ready(url, process)
            for begin in range(0, ALERTS, BATCH):
                batch = [alert(n) for n in range(begin, begin + BATCH)]
                ask(url + "/api/v2/alerts", json.dumps(batch).encode())

            def listed(query=""):
                return len(json.loads(ask(f"{url}/api/v2/alerts{query}")))

            limit = time.monotonic() + START_SECONDS_MAX
            while listed() < ALERTS and time.monotonic() < limit:
                time.sleep(0.5)
            if listed() != ALERTS:
                sys.exit(f"Alertmanager lists {listed()} alerts instead of {ALERTS}")
            one = "?" + urllib.parse.urlencode({"filter": 'alertname="replication_7"'})
            found = listed(one)
            if not 0 < found < ALERTS:
                sys.exit(f"Alertmanager filters to {found} alerts")
            # What a client makes of the answer is not counted.
            return (
                f"Alertmanager {version}",
                median_ms(lambda: ask(url + "/api/v2/alerts")),
                median_ms(lambda: ask(url + "/api/v2/alerts" + one)),
                median_ms(lambda: ask(url + "/api/v2/alerts/groups")),
            )
        finally:
            process.terminate()
            process.wait(timeout=60)


UNITS = {"ns": 1e-6, "µs": 1e-3, "ms": 1.0, "s": 1e3}


def aramaki(profile):
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "bench", "--profile", profile, "-p", "aramaki-desktop", "--bench", "frame"]
    print("building the benchmark", file=sys.stderr)
    if subprocess.run([*command, "--no-run"], check=False).returncode != 0:
        sys.exit("the benchmark cannot be built")
    signal.alarm(MEASURE_SECONDS_MAX)
    output = subprocess.run([*command, "--", "10000_alerts"], capture_output=True, text=True, check=False)
    if output.returncode != 0:
        sys.exit(output.stderr)

    def median(name):
        # Columns: fastest, slowest, median, mean.
        row = re.search(rf"─ {re.escape(name)}\s+(.*)", output.stdout)
        if row is None:
            sys.exit(f"no row {name} in:\n{output.stdout}")
        value, unit = row.group(1).split("│")[2].split()
        return float(value) * UNITS[unit]

    return ("Aramaki", median("opening_10000_alerts"), median("check:replication_7"), None)


def too_long(_signal, _frame):
    # What was started is ended on the way out.
    sys.exit(f"not done after {MEASURE_SECONDS_MAX} s: nothing was measured")


def main():
    signal.signal(signal.SIGALRM, too_long)
    profile = sys.argv[1] if len(sys.argv) > 1 else "release"
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        sys.exit("no Alertmanager here: apt-get install prometheus-alertmanager")
    rows = [aramaki(profile), alertmanager(program)]
    load = os.getloadavg()[0]
    print(f"{ALERTS} open alerts, median of {ROUNDS}, load average {load:.1f}\n")
    print("| | listed | filtered | grouped |\n|---|---|---|---|")
    for name, *times in rows:
        cells = ["in *listed*" if it is None else f"{it:.1f} ms" for it in times]
        print(f"| {name} | " + " | ".join(cells) + " |")
    worst = rows[0][1] + rows[0][2]
    print(f"\nAramaki opened and filtered them in {worst:.1f} ms; the aim is 100 ms.")


if __name__ == "__main__":
    main()
