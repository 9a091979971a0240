import assert from "node:assert/strict";
import { test } from "node:test";
import type { FindingId } from "../../../src/doctor/findings.js";
import { isAnswer } from "../../lab/http.js";
import { installPrograms } from "../../lab/installed.js";
import { balance } from "../../traffic/ipvsadm.js";
import type { Site } from "../../traffic/site.js";
import { spread } from "../../traffic/spread.js";
import type { Found } from "./case.js";

/** Where the program is that runs on real servers. */
const PROGRAMS = installPrograms();

/** How a finding on a real server is proven: a fault is made there, and everything that is said of it comes true. */
export interface RealServerCase {
  readonly id: FindingId;
  /** What is tried, if the id does not say it */
  readonly name?: string;
  /** The table of the director */
  readonly rules: string;
  /** Behind `ipvsadm doctor`: `--real-server 203.0.113.100` */
  readonly words: string;
  /** Makes the fault: a shell command on real1, or something else */
  readonly fault: string | (() => Promise<void>);
  /** Whom the client asks */
  readonly url?: string;
  /** Sees that traffic goes as it should, before the fault and after the mend; else the two servers share it. */
  readonly works?: () => Promise<void>;
  /** Sees what the fault does to traffic; else some requests are not answered. */
  readonly fails?: () => Promise<void>;
  readonly subject?: string;
  readonly seen?: RegExp;
  readonly severity?: "error" | "warning";
  /** Other findings that the fault brings about */
  readonly also?: readonly FindingId[];
  /** What the reader knows: `{ ROUTER: "192.0.2.1" }` */
  readonly fills?: Readonly<Record<string, string>>;
  /** Carries out a cure that is no command. */
  readonly cure?: () => Promise<void>;
  /** Puts back what no mend does. */
  readonly lastly?: () => Promise<void> | void;
}

/** What the doctor finds on real1, asked there, in its own namespace and process. */
export function examinedThere(
  site: Site,
  words: string,
): { found: readonly Found[]; status: number } {
  const printed = site.network.sh(
    "real1",
    `status=0; PATH=${PROGRAMS}:$PATH ipvsadm doctor ${words} -o json || status=$?; echo "status $status"`,
  );
  const at = printed.lastIndexOf("status ");
  const { findings, unexamined, role } = JSON.parse(printed.slice(0, at)) as {
    findings: readonly Found[];
    unexamined: readonly object[];
    role: string;
  };
  assert.equal(role, "real server");
  assert.deepEqual(unexamined, []);
  return { found: findings, status: Number(printed.slice(at + 7)) };
}

/** Sees that nothing is found there. */
export function silentThere(site: Site, words: string): void {
  assert.deepEqual(examinedThere(site, words), { found: [], status: 0 });
}

/** Has everybody forget who has what address, as they do by themselves after some minutes. */
export function forget(site: Site, hosts = ["client", "real1"]): void {
  for (const host of hosts) site.network.sh(host, "ip neigh flush all");
}

/** Sees that the client is answered by both servers, in turn. */
export async function shared(site: Site, url: string): Promise<void> {
  const replies = await site.client.get(url, { count: 4, patienceSeconds: 3 });
  assert.deepEqual(spread(replies), { real1: 2, real2: 2 });
}

/** Sees that the client gets no answer to some of its requests. */
export async function unanswered(site: Site, url: string): Promise<void> {
  const replies = await site.client.get(url, { count: 2, patienceSeconds: 1 });
  assert.ok(!replies.every(isAnswer), JSON.stringify(replies));
}

/** What has been seen healthy: that every mend leaves nothing to be found shows the rest. */
const healthy = new Set<string>();

/**
 * Proves a finding of real1: all is well and the doctor silent; the fault is made, and traffic fails; the doctor names
 * it; its mend is carried out as printed, and traffic is back; the doctor is silent.
 */
export function provesThere(site: Site, one: RealServerCase): void {
  const { id, rules, words, url = "" } = one;
  const works = one.works ?? (() => shared(site, url));
  const fails = one.fails ?? (() => unanswered(site, url));
  const said = one.name ?? one.subject;
  const key = `${words} ${rules}`;
  test(`${id}${said === undefined ? "" : `: ${said}`}`, async () => {
    await balance(rules);
    try {
      forget(site);
      await works();
      if (!healthy.has(key)) silentThere(site, words);
      healthy.add(key);
      if (typeof one.fault === "string") site.network.sh("real1", one.fault);
      else await one.fault();
      forget(site);
      await fails();
      const { found, status } = examinedThere(site, words);
      const mine = found.filter((finding) => finding.id === id);
      const [first] = mine;
      assert.ok(first, `${id} is not in ${JSON.stringify(found)}`);
      assert.deepEqual(
        found.filter((finding) => finding.id !== id).map((other) => other.id),
        one.also ?? [],
      );
      if (one.subject !== undefined) assert.equal(first.subject, one.subject);
      if (one.seen) assert.match(first.seen, one.seen);
      assert.equal(first.severity, one.severity ?? "error");
      const errors = found.some(({ severity }) => severity === "error");
      assert.equal(status, errors ? 1 : 0);
      if (one.cure) {
        assert.deepEqual(first.mend, []);
        await one.cure();
      } else for (const finding of found) carryOutThere(site, finding, one);
      forget(site);
      await works();
      silentThere(site, words);
    } finally {
      await one.lastly?.();
    }
  });
}

/** Runs the commands of a mend as they are printed. */
function carryOutThere(
  site: Site,
  { mend }: Found,
  { fills = {} }: RealServerCase,
): void {
  assert.notEqual(mend.length, 0, "there is a command that mends it");
  for (const { command, on } of mend) {
    assert.equal(on, null);
    const filled = command.replace(
      /\b[A-Z]{4,}\b/g,
      (word) => fills[word] ?? word,
    );
    site.network.sh("real1", filled);
  }
}
