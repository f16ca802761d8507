#!/usr/bin/env python3
"""Says what an agent costs that looks at 50 things a minute: resident memory, and share of a core.

Run it from the repository with a profile whose programs are built:

    cargo build --release --bins && tests/compare/idle_agent.py release [SECONDS]

A relay, a workspace and an agent run on loopback. Every check runs once a minute; half are built in, half are
a plugin each (`/usr/bin/true`), whose own time is not the agent's. The first minute is left out.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

CHECKS = 50
WARM_SECONDS = 65
PROGRAMS = ["aramaki", "aramaki-relay", "aramaki-agent"]
BUILTINS = ["load", "memory", "uptime", "swap"]


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def checks():
    text = ""
    for n in range(CHECKS):
        name = BUILTINS[n // 2 % len(BUILTINS)]
        kind = f"builtin.{name} = {{}}" if n % 2 else 'command = { program = "/usr/bin/true" }'
        text += f'[[check]]\nname = "check {n:02}"\ninterval_ms = 60000\nkind.{kind}\n\n'
    return text


def status(pid):
    """Processor seconds of the process itself, without those of its children, and its memory in MB."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    with open(f"/proc/{pid}/status") as file:
        lines = dict(line.split(":", 1) for line in file if ":" in line)
    return seconds, int(lines["VmRSS"].split()[0]) / 1024, int(lines["RssAnon"].split()[0]) / 1024


def main():
    profile = sys.argv[1] if len(sys.argv) > 1 else "release"
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    aramaki, relay, agent = (os.path.abspath(f"{target}/{profile}/{it}") for it in PROGRAMS)
    running = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("ARAMAKI_", "XDG_"))}
        environment["HOME"] = folder

        def verb(*arguments):
            command = [aramaki, "--json", "--data", f"{folder}/data", *arguments]
            return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)

        def start(command, log):
            file = open(f"{folder}/{log}", "w")
            process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
            running.append(process)
            return process

        try:
            port = free_port()
            with open(f"{folder}/relay.toml", "w") as file:
                file.write(f'[peer]\nbind = "127.0.0.1:{port}"\nadvertise = ["127.0.0.1:{port}"]\n')
                file.write('[transport]\nenabled = false\n[status]\nbind = "127.0.0.1:0"\n')
            base = [relay, "--data", f"{folder}/relay", "--config", f"{folder}/relay.toml"]
            known = json.loads(subprocess.run([*base, "id", "--json"], check=True, capture_output=True).stdout)
            start([*base, "run"], "relay.log")
            with open(f"{folder}/checks.toml", "w") as file:
                file.write(checks())
            verb("init", "--name", "operator", "--no-recovery-kit")
            verb("system", "add", "Host", "--checks", f"{folder}/checks.toml")
            verb("relay", "add", known["author"], known["address"])
            invited = verb("agent", "invite", "Host", "--name", "host")
            with open(f"{folder}/agent.toml", "w") as file:
                file.write('[network]\nlisten = ["127.0.0.1:0"]\n')
            base = [agent, "--data", f"{folder}/agent", "--config", f"{folder}/agent.toml"]
            subprocess.run([*base, "join", invited["invitation"]], env=environment, check=True, capture_output=True)
            process = start([*base, "run"], "agent.log")
            time.sleep(WARM_SECONDS)
            before, began = status(process.pid)[0], time.monotonic()
            time.sleep(seconds)
            spent, resident, own = status(process.pid)
            share = 100 * (spent - before) / (time.monotonic() - began)
            seen = json.dumps(verb("status", "Host", "--wait", "3s")).count('"ok"')
            print(f"{CHECKS} checks a minute, {seconds} s, profile {profile}: {share:.2f} % of a core (at most 0.5),")
            print(f"{resident:.1f} MB resident (at most 40), of which {own:.1f} MB its own and not of the program's file.")
            print(f"`status` says “ok” {seen} times.")
        finally:
            for process in reversed(running):
                process.send_signal(signal.SIGTERM)
            for process in running:
                process.wait(20)


if __name__ == "__main__":
    main()
