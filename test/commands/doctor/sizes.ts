import assert from "node:assert/strict";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import type { Site } from "../../traffic/site.js";
import { answered, examined } from "./case.js";
import { NO_ANSWER, upload } from "./upload.js";

/** Sets the MTU of hosts' interfaces to a network, and of the ports of its switch where they are plugged in. */
export function setMtu(
  site: Site,
  network: string,
  mtu: number,
  ...hosts: string[]
): void {
  for (const host of hosts) {
    setPort(site, network, mtu, host);
    site.network.sh(host, `ip link set dev ${network} mtu ${mtu}`);
  }
}

/** Sets the MTU of a port alone: what is larger is dropped there without a message. */
export function setPort(
  site: Site,
  network: string,
  mtu: number,
  host: string,
): void {
  site.network.sh(
    DIRECTOR,
    `ip -n switch-${network} link set dev ${host} mtu ${mtu}`,
  );
}

/** Packets leave hosts as large as on a wire: the kernel passes larger ones between interfaces of this kind. */
export function likeWires(
  site: Site,
  network: string,
  ...hosts: string[]
): void {
  for (const host of hosts)
    site.network.sh(host, `ip link set ${network} gso_max_segs 1`);
}

/** The client, and the director, forget the sizes that they have learned. */
export function forgetSizes(site: Site): void {
  for (const host of ["client", DIRECTOR])
    site.network.sh(
      host,
      "ip route flush cache; ip -6 route flush cache 2>/dev/null || true",
    );
}

/** Sees that small and large requests are answered, by every server of the service. */
export async function worksLarge(
  site: Site,
  url: string,
  times = 1,
): Promise<void> {
  await answered(site, url);
  for (let i = 0; i < times; i++) assert.equal(upload(site, url, 60), "200");
}

/** Sees that one of so many large requests is not answered. */
export function failsLarge(site: Site, url: string, times = 1): void {
  forgetSizes(site);
  const results = Array.from({ length: times }, () => upload(site, url, 5));
  assert.ok(
    results.some((result) => NO_ANSWER.test(result)),
    results.join(),
  );
}

/** What doctor says of sizes under Not checked. */
export async function unknownSizes(words: string): Promise<string[]> {
  const { stdout } = await ours(["doctor", ...words.split(" "), "-o", "json"]);
  const { notChecked } = JSON.parse(stdout) as { notChecked: string[] };
  return notChecked.filter((text) => text.includes("carries"));
}

/** Sees that a probe finds nothing, and that no size is unknown. */
export async function probesNothing(): Promise<void> {
  const { found, status } = await examined("all examined", "--probe");
  assert.deepEqual(found, []);
  assert.equal(status, 0);
  assert.deepEqual(await unknownSizes("--probe"), []);
}
