#!/usr/bin/env python3
"""Hands the same results to Icinga 2 and writes down what it makes of them: state, soft or hard, attempt, flapping.

Run it from the repository, as root:

    apt-get install icinga2-bin icinga2-common && tests/compare/icinga2.py

It writes model/tests/icinga2.json, which `cargo test -p aramaki-model --test icinga2` holds our states against. Icinga
runs in a folder of its own on a free port of loopback, as its own user, and is stopped again.
"""

import base64
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

RESULTS = 60
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 20
USER = "nagios"
SEED = 20261130


def sequences():
    """Attempts, and states of results in order: fixed ones that people know, and drawn ones."""
    yield 3, [0, 2, 2, 2, 2, 0, 0]
    yield 3, [0, 2, 0, 2, 2, 0, 1, 2, 3, 0]
    yield 3, [2, 2, 2, 2, 0]
    yield 3, [0, 1, 2, 2, 1, 0]
    yield 1, [0, 1, 2, 3, 0, 3]
    yield 5, [0, 1, 1, 0, 2, 2, 2, 2, 2, 1, 0]
    yield 1, [0, 2] * (RESULTS // 2)
    yield 3, [0] * 21 + [0, 2] * 12 + [0] * 21
    draw = random.Random(SEED)
    for attempts in (1, 3, 5):
        for calm in (0.5, 0.8):
            state, states = 0, []
            for _ in range(RESULTS):
                if draw.random() > calm:
                    state = draw.choice([0, 0, 0, 1, 2, 3])
                states.append(state)
            yield attempts, states


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def configuration(folder, port, secret, all_sequences):
    text = f"""
    const NodeName = "compare"
    object Endpoint "compare" {{}}
    object Zone "compare" {{ endpoints = ["compare"] }}
    object ApiListener "api" {{ bind_host = "127.0.0.1", bind_port = {port} }}
    object ApiUser "compare" {{ password = "{secret}", permissions = ["*"] }}
    object CheckCommand "none" {{ command = ["/bin/true"] }}
    object CheckerComponent "checker" {{}}
    object Host "h" {{ check_command = "none", enable_active_checks = false }}
    """
    for number, (attempts, _) in enumerate(all_sequences):
        text += f"""
        object Service "s{number}" {{
          host_name = "h"
          check_command = "none"
          enable_active_checks = false
          enable_flapping = true
          max_check_attempts = {attempts}
        }}
        """
    path = os.path.join(folder, "icinga2.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


class Icinga:
    def __init__(self, folder, all_sequences):
        self.port, self.secret = free_port(), base64.b16encode(os.urandom(16)).decode()
        config = configuration(folder, self.port, self.secret, all_sequences)
        certs = os.path.join(folder, "lib", "certs")
        for name in ("lib/certs", "cache", "log", "run", "spool"):
            os.makedirs(os.path.join(folder, name))
        key, cert = os.path.join(certs, "compare.key"), os.path.join(certs, "compare.crt")
        new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=compare"]
        subprocess.run([*new, "-keyout", key, "-out", cert], check=True, stderr=subprocess.DEVNULL)
        shutil.copy(cert, os.path.join(certs, "ca.crt"))
        shutil.chown(folder, USER)
        for place, folders, files in os.walk(folder):
            for name in folders + files:
                shutil.chown(os.path.join(place, name), USER)
        places = {
            "DataDir": "lib",
            "CacheDir": "cache",
            "LogDir": "log",
            "InitRunDir": "run",
            "SpoolDir": "spool",
            "StatePath": "lib/icinga2.state",
            "VarsPath": "cache/vars",
            "ObjectsPath": "cache/objects",
            "PidPath": "run/icinga2.pid",
        }
        defines = [f"-D{name}={os.path.join(folder, place)}" for name, place in places.items()]
        defines += [f"-DRunAsUser={USER}", f"-DRunAsGroup={USER}"]
        self.log = open(os.path.join(folder, "out"), "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["icinga2", "daemon", "-c", config, *defines],
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.tls = ssl._create_unverified_context()  # its own certificate, on loopback
        self.wait()

    def wait(self):
        end = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                return self.ask("GET", "/v1/status/ApiListener")
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.log.flush()
                    with open(self.log.name, encoding="utf-8") as file:
                        sys.exit(f"Icinga 2 does not start:\n{file.read()}")
                time.sleep(0.2)

    def ask(self, method, path, body=None):
        login = base64.b64encode(f"compare:{self.secret}".encode()).decode()
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {login}", "Accept": "application/json"},
        )
        with urllib.request.urlopen(request, context=self.tls, timeout=30) as answer:
            return json.load(answer)

    def result(self, number, state):
        body = {
            "type": "Service",
            "service": f"h!s{number}",
            "exit_status": state,
            "plugin_output": "said",
        }
        self.ask("POST", "/v1/actions/process-check-result", body)
        attributes = ["state", "state_type", "check_attempt", "flapping"]
        wanted = "&".join(f"attrs={name}" for name in attributes)
        found = self.ask("GET", f"/v1/objects/services/h!s{number}?{wanted}")
        found = found["results"][0]["attrs"]
        return [state, *(int(found[name]) for name in attributes)]

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()


def main():
    if shutil.which("icinga2") is None:
        print("icinga2 is not installed: skipped")
        return
    version = subprocess.run(["icinga2", "--version"], capture_output=True, text=True, check=True)
    version = version.stdout.splitlines()[0].split("version: ")[-1].rstrip(")")
    all_sequences = list(sequences())
    with tempfile.TemporaryDirectory() as folder:
        icinga = Icinga(folder, all_sequences)
        try:
            recorded = [
                {"attempts": attempts, "results": [icinga.result(number, it) for it in states]}
                for number, (attempts, states) in enumerate(all_sequences)
            ]
        finally:
            icinga.stop()
    path = os.path.join("model", "tests", "icinga2.json")
    with open(path, "w", encoding="utf-8") as file:
        about = "of each result: its state, then the state, whether hard, the attempt, whether flapping"
        lines = ",\n".join(json.dumps(it, separators=(",", ":")) for it in recorded)
        file.write(f'{{"icinga2":"{version}","about":"{about}","sequences":[\n{lines}\n]}}\n')
    print(f"{len(recorded)} sequences of Icinga 2 {version} are in {path}")


if __name__ == "__main__":
    main()
