"""The reference: PostgreSQL doing the same transfer by one prepared PL/pgSQL call, on a cluster made for the run.

fsync and synchronous_commit are on. The call stores a signature of 64 bytes and verifies none. PostgreSQL comes from
Debian's packages; installing it needs root, and as root the server runs as the user `postgres`, since it refuses root.
"""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from hansa.bench.processes import cpu_seconds

ACCOUNTS = 10_000
SETTINGS = {
    "shared_buffers": "512MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_wal_size": "4GB",
    "max_connections": "100",
    "listen_addresses": "''",
    "logging_collector": "off",
}
SCHEMA = f"""
CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
INSERT INTO account SELECT g, 1000000 FROM generate_series(1, {ACCOUNTS}) g;
CREATE TABLE transfer (seq bigserial PRIMARY KEY, payer int, payee int, amount bigint, signature bytea,
                       made timestamptz DEFAULT now());
CREATE FUNCTION pay(payer int, payee int, amount bigint, signature bytea) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
  -- The lower id first, so that two calls never wait for each other in a circle.
  PERFORM 1 FROM account WHERE id IN (payer, payee) ORDER BY id FOR UPDATE;
  UPDATE account SET balance = balance - pay.amount WHERE id = pay.payer AND balance >= pay.amount;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE account SET balance = balance + pay.amount WHERE id = pay.payee;
  INSERT INTO transfer (payer, payee, amount, signature) VALUES (pay.payer, pay.payee, pay.amount, pay.signature);
  RETURN true;
END $$;
VACUUM ANALYZE account;
"""
SCRIPT = rf"""
\set payer random(1, {ACCOUNTS})
\set payee 1 + (:payer + random(0, {ACCOUNTS - 2})) % {ACCOUNTS}
SELECT pay(:payer, :payee, 1, '\x{"5a" * 64}');
"""


def find() -> Path:
    """The folder of PostgreSQL's programs, installed first if need be."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        print("installing PostgreSQL from Debian's packages", flush=True)
        subprocess.run(["apt-get", "install", "-y", "-q", "postgresql"], check=True, stdout=subprocess.DEVNULL)
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent


class Postgres:
    """A running cluster in a temporary folder. Use as a context manager."""

    def __init__(self) -> None:
        self.programs = find()
        self.folder = Path(tempfile.mkdtemp(prefix="hansa-bench-pg-", dir="/var/tmp"))
        self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, "postgres", "postgres")

    def __enter__(self) -> "Postgres":
        data = self.folder / "data"
        self.run("initdb", "-k", "-A", "trust", "-D", str(data), "--no-instructions")
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        self.run(
            "pg_ctl",
            "-D",
            str(data),
            "-o",
            f"{options} -k {self.folder}",
            "-l",
            str(self.folder / "log"),
            "-w",
            "start",
        )
        self.run("psql", "-h", str(self.folder), "-q", "-d", "postgres", "-v", "ON_ERROR_STOP=1", input=SCHEMA)
        self.server = int((data / "postmaster.pid").read_text().split()[0])
        self.script = self.folder / "pay.sql"
        self.script.write_text(SCRIPT)
        self.script.chmod(0o644)
        return self

    def __exit__(self, *_: object) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "fast", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program: str, *arguments: str, input: str | None = None) -> str:
        """Runs one of PostgreSQL's programs to its end."""
        command = [*self.user, str(self.programs / program), *arguments]
        done = subprocess.run(command, input=input, capture_output=True, text=True, check=False, cwd=self.folder)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr[-2000:]}")
        return done.stdout

    def version(self) -> str:
        """What the server says it is."""
        return self.run("postgres", "--version").strip()

    def load(self, clients: int, seconds: float) -> dict[str, float]:
        """One run of pgbench; transfers a second, latencies in ms, CPU of the server in us a transfer."""
        log = self.folder / f"log-{clients}"
        shutil.rmtree(log, ignore_errors=True)
        log.mkdir()
        log.chmod(0o777)
        before = cpu_seconds(self.server)
        output = self.run(
            "pgbench", "-h", str(self.folder), "-n", "-M", "prepared", "-c", str(clients), "-j", "1",
            "-T", str(int(seconds)), "-f", str(self.script), "-l", "--sampling-rate=0.2",
            f"--log-prefix={log}/p", "postgres",
        )  # fmt: skip
        time.sleep(0.5)  # the backends end, and the server waits for them: then their time is in its own
        count = int(
            next(line for line in output.splitlines() if "actually processed" in line).split(":")[1].split("/")[0]
        )
        rate = float(next(line for line in output.splitlines() if line.startswith("tps")).split("=")[1].split()[0])
        failed = (
            next((line for line in output.splitlines() if "failed transactions" in line), ": 0 ")
            .split(":")[1]
            .split()[0]
        )
        if int(failed):
            raise RuntimeError(f"{failed} failed transfers")
        used = cpu_seconds(self.server) - before
        latencies = sorted(
            int(line.split()[2]) / 1000 for file in log.iterdir() for line in file.read_text().splitlines()
        )
        return {
            "transactions": count,
            "per_second": rate,
            "p50_ms": latencies[len(latencies) // 2],
            "p99_ms": latencies[len(latencies) * 99 // 100],
            "cpu_us": used / count * 1e6,
        }
