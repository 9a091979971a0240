import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { subcommand } from "../run-subcommand.js";

test("fleet sends no password without TLS, except to this machine", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ipvsadm-fleet-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "password");
  writeFileSync(file, "secret\n");
  const statusAt = (endpoint: string) =>
    subcommand(
      `fleet status --deadline 1s --user alice --password-file ${file} --endpoints ${endpoint}`,
    );
  for (const endpoint of [
    "http://192.0.2.1:2379",
    "http://[2001:db8::1]:2379",
    "http://etcd.example:2379",
    "http://127.example:2379",
  ]) {
    const { stderr, status } = await statusAt(endpoint);
    assert.equal(
      stderr,
      `ipvsadm: endpoint ${endpoint}: without TLS, everyone on the network path can read the password: use https\n`,
    );
    assert.equal(status, 1);
  }
  // Port 1 has no listener.
  for (const endpoint of ["http://127.0.0.1:1", "http://localhost:1"]) {
    const { stderr } = await statusAt(endpoint);
    assert.match(stderr, /^ipvsadm: cannot reach etcd at /);
    assert.doesNotMatch(stderr, /secret/);
  }
});
