// Runs the commands of each guide on machines of its own, and compares what they print with what the guide shows.
// Needs a kernel with ip_vs: test/lab/run.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../lab/eventually.js";
import { installPrograms } from "../lab/installed.js";
import { buildNetwork, DIRECTOR } from "../lab/network.js";
import { type Server, startServerProgram } from "../lab/server.js";
import { TestCluster } from "../store/etcd-cluster.js";
import { without } from "../traffic/needs.js";
import { GUIDE_NETWORKS, type GuideNetwork } from "./guide-networks.js";
import {
  onlyLists,
  readSteps,
  replaceOutputs,
  type Step,
  withoutChance,
} from "./guide-steps.js";

const GUIDES = "docs/guides";
/** Where guides are written with the outputs of this run, such as /lab. */
const WRITTEN = process.env["WRITE_GUIDES"];
/** The beginning of the name of the one guide to follow. */
const ONLY = process.env["GUIDE"];
const SERVER = fileURLToPath(new URL("guide-server.js", import.meta.url));
/** Timeout for what a list is to show. One command gets twice the time. */
const PATIENCE_SECONDS = 180;
/** Guides whose commands need a program that not every machine has, and its Debian package. */
const NEEDS: Readonly<Record<string, [string, string]>> = {
  "firewall-marks": ["iptables-legacy", "iptables"],
  "full-nat": ["iptables-legacy", "iptables"],
  "udp-and-dns": ["dig", "bind9-dnsutils"],
};

suite("guides", () => {
  const path = prepare();
  for (const file of readdirSync(GUIDES).filter((one) => one.endsWith(".md"))) {
    if (ONLY && !file.startsWith(ONLY)) continue;
    const name = file.replace(".md", "");
    const need = NEEDS[name];
    const skip = need ? without(...need) : false;
    test(`${file} shows what its commands print`, { skip }, () =>
      follow(name, path),
    );
  }
});

/** @returns the search path with our programs, and iptables as this kernel has it */
function prepare(): string {
  const folder = installPrograms();
  for (const name of ["iptables", "ip6tables"])
    symlinkSync(`/usr/sbin/${name}-legacy`, join(folder, name));
  const path = `${folder}:/usr/sbin:/sbin:${process.env["PATH"] ?? ""}`;
  // Loads the module, and with it its sysctls.
  execFileSync("ipvsadm", ["-Ln"], { env: { ...process.env, PATH: path } });
  return path;
}

/** Does what a guide says, from its first command to its last. */
async function follow(name: string, path: string): Promise<void> {
  const network = GUIDE_NETWORKS[name];
  assert.ok(network, `there is no network for ${name}.md`);
  const guide = readFileSync(join(GUIDES, `${name}.md`), "utf8");
  using built = buildNetwork(network.plan);
  assert.ok(built);
  await using fleet = network.etcd ? await startFleet(network.etcd) : undefined;
  assert.equal(fleet === undefined, network.etcd === undefined);
  const servers = await startServers(network);
  const outputs = new Map<Step, string>();
  const differences: string[] = [];
  try {
    for (const step of readSteps(guide))
      for (const [host, output] of await take(step, path)) {
        outputs.set(step, output);
        if (!isShown(step, output))
          differences.push(`${whereOf(step, host)}${output}`);
      }
  } finally {
    for (const server of servers) await server.stop();
    if (WRITTEN)
      writeFileSync(
        join(WRITTEN, `${name}.md`),
        replaceOutputs(guide, outputs),
      );
  }
  assert.equal(differences.join("\n"), "");
}

/** Folders of fleet: a guide must not change those of the machine that runs the tests. */
const FLEET_FOLDERS = ["/etc/ipvsadm", "/var/lib/ipvsadm"];

/** Starts etcd, with empty folders for the configuration and for the agents. */
async function startFleet(address: string): Promise<AsyncDisposable> {
  for (const folder of FLEET_FOLDERS) {
    mkdirSync(folder, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "none", folder]);
  }
  const cluster = await TestCluster.start({
    slow: true,
    address,
    ports: [2379, 2380],
  });
  return {
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]();
      for (const folder of FLEET_FOLDERS) execFileSync("umount", [folder]);
    },
  };
}

function startServers({ servers }: GuideNetwork): Promise<Server[]> {
  return Promise.all(
    Object.entries(servers).map(([host, endpoints]) =>
      startServerProgram(host, "server", [
        process.execPath,
        SERVER,
        host,
        ...endpoints,
      ]),
    ),
  );
}

/** Runs the commands of a step on all its machines at once. @returns what each printed */
function take(step: Step, path: string): Promise<[string, string][]> {
  return Promise.all(
    step.hosts.map(async (host) => [host, await takeOn(host, step, path)]),
  );
}

/** @throws if the commands fail, or do not where they should */
async function takeOn(host: string, step: Step, path: string): Promise<string> {
  const run = () => runOn(host, step.commands, path);
  const { output, status } = onlyLists(step)
    ? await eventually(
        run,
        ({ output }) => isShown(step, output),
        PATIENCE_SECONDS,
      )
    : await run();
  assert.equal(
    status === 0,
    !step.fails,
    `${whereOf(step, host)}status ${status}\n${output}`,
  );
  return output;
}

function isShown({ output: shown }: Step, output: string): boolean {
  return shown === undefined || withoutChance(shown) === withoutChance(output);
}

function whereOf({ line, commands }: Step, host: string): string {
  return `line ${line}, on ${host}:\n${commands}`;
}

/** Runs commands of a shell that ends with the first that fails. */
async function runOn(
  host: string,
  commands: string,
  path: string,
): Promise<{ output: string; status: number | null }> {
  // The tests run in the namespace that the lab calls director. The director of a guide has one of its own.
  const namespace = host === DIRECTOR ? "balancer" : host;
  const script = `exec 2>&1\n${commands}`;
  const shell = spawn(
    "ip",
    ["netns", "exec", namespace, "bash", "-ec", script],
    {
      env: { ...process.env, PATH: path, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "inherit"],
      timeout: 2 * PATIENCE_SECONDS * 1000,
    },
  );
  const [output] = await Promise.all([
    text(shell.stdout),
    once(shell, "close"),
  ]);
  return { output, status: shell.exitCode };
}
