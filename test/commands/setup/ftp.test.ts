import assert from "node:assert/strict";
import { test } from "node:test";
import { subcommand } from "../run-subcommand.js";

/** What `setup` prints for the director of these services, each at a virtual address and port with a server and its port. */
async function printed(
  services: readonly (readonly [endpoint: string, server: string])[],
  options = "",
): Promise<string[]> {
  const rules = services.flatMap(([endpoint, server]) => [
    `-A ${endpoint}`,
    `-a ${endpoint} -r ${server}`,
  ]);
  const { stdout, stderr } = await subcommand(
    `setup - --for director --director 10.0.0.10${options}`,
    { stdin: [[...rules, ""]] },
  );
  assert.equal(stderr, "");
  return stdout.split("\n");
}

/** The commands that load modules. */
const loadedModules = async (...given: Parameters<typeof printed>) =>
  (await printed(...given)).filter((line) => line.startsWith("modprobe "));

test("setup loads ip_vs_ftp for masqueraded servers of a service at port 21", async () => {
  const both = ["modprobe ip_vs", "modprobe ip_vs_ftp"];
  assert.deepEqual(
    await loadedModules([["-t 192.0.2.1:21", "10.0.0.11:21 -m"]]),
    both,
  );
  assert.deepEqual(
    await loadedModules(
      [["-f 7", "10.0.0.11 -m"]],
      " --mark 7=tcp/192.0.2.1:21",
    ),
    both,
  );
  for (const [endpoint, server] of [
    ["-t 192.0.2.1:21", "10.0.0.11:21 -g"],
    ["-t 192.0.2.1:80", "10.0.0.11:80 -m"],
    ["-u 192.0.2.1:21", "10.0.0.11:21 -m"],
    ["-f 7", "10.0.0.11 -m"],
  ] as const)
    assert.deepEqual(await loadedModules([[endpoint, server]]), [
      "modprobe ip_vs",
    ]);
});

test("setup gives ip_vs_ftp the ports of services whose servers have port 21", async () => {
  const services = [
    ["-t 192.0.2.1:2121", "10.0.0.11:21 -m"],
    ["-t 192.0.2.2:8021", "10.0.0.11:21 -m"],
  ] as const;
  assert.deepEqual(await loadedModules(services), [
    "modprobe ip_vs",
    "modprobe ip_vs_ftp ports=21,2121,8021",
  ]);
  const files = await printed(services, " -o sysctl");
  assert.match(files[1] ?? "", /^# ip_vs_ftp needs connection tracking /);
  assert.deepEqual(files.slice(2, 7), [
    "# /etc/modules-load.d/ipvs.conf",
    "ip_vs",
    "ip_vs_ftp",
    "# /etc/modprobe.d/ipvs.conf",
    "options ip_vs_ftp ports=21,2121,8021",
  ]);
  const undo = await printed(services, " -o sysctl --undo");
  assert.deepEqual(undo.slice(2, 4), [
    "rm /etc/modules-load.d/ipvs.conf",
    "rm /etc/modprobe.d/ipvs.conf",
  ]);
});
