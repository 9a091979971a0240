import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { FindingId } from "../../../src/doctor/findings.js";
import { isAnswer } from "../../lab/http.js";
import { balance } from "../../traffic/ipvsadm.js";
import type { Site } from "../../traffic/site.js";
import { spread } from "../../traffic/spread.js";
import type { Found } from "./case.js";
import { startResident, type Resident } from "./resident.js";

/** How a finding on a real server is proven: a fault is made there, and everything that is said of it comes true. */
export interface RealServerCase {
  readonly id: FindingId;
  /** What is tried, if the id does not say it */
  readonly name?: string;
  /** Why it cannot be proven here */
  readonly skip?: string | false;
  /** The table of the director */
  readonly rules: string;
  /** Behind `ipvsadm doctor`: `--real-server 203.0.113.100` */
  readonly words: string;
  /** Makes another set-up that works, before the fault */
  readonly healthy?: () => Promise<void>;
  /** Makes the fault: a shell command on real1, or something else */
  readonly fault: string | (() => Promise<void>);
  /** Whom the client asks */
  readonly url?: string;
  /** Sees that traffic goes as it should, before the fault and after the fix; else the two servers share it. */
  readonly works?: () => Promise<void>;
  /** Sees what the fault does to traffic; else some requests are not answered. */
  readonly fails?: () => Promise<void>;
  readonly subject?: string;
  readonly seen?: RegExp;
  /** Its sentences of evidence */
  readonly evidence?: RegExp;
  readonly certainty?: "proven" | "likely";
  readonly severity?: "error" | "warning";
  /** Other findings that the fault brings about */
  readonly also?: readonly FindingId[];
  /** What the reader knows: `{ ROUTER: "192.0.2.1" }` */
  readonly fills?: Readonly<Record<string, string>>;
  /** Carries out a cure that is no command, or that the finding only describes. */
  readonly cure?: (finding: Found) => Promise<void> | void;
  /** Puts back what no fix does. */
  readonly lastly?: () => Promise<void> | void;
}

/** What the doctor finds on real1, asked there. */
async function examined(
  real1: Resident,
  words: string,
): Promise<{ found: readonly Found[]; status: number }> {
  const line = ["doctor", ...words.split(" "), "-o", "json"];
  const { stdout, stderr, status } = await real1.run(line);
  assert.equal(stderr, "");
  const { findings, unexamined, role } = JSON.parse(stdout) as {
    findings: readonly Found[];
    unexamined: readonly object[];
    role: string;
  };
  assert.equal(role, "real server");
  assert.deepEqual(unexamined, []);
  return { found: findings, status };
}

/** Sees that nothing is found there. */
async function silent(real1: Resident, words: string): Promise<void> {
  assert.deepEqual(await examined(real1, words), { found: [], status: 0 });
}

/** Flushes the neighbor tables of these machines. Without this the entries expire after some minutes. */
export function forget(site: Site, hosts = ["client", "real1"]): void {
  for (const host of hosts) site.network.sh(host, "ip neigh flush all");
}

/** Sees that the client is answered by both servers, in turn. */
export async function shared(site: Site, url: string): Promise<void> {
  const replies = await site.client.get(url, { count: 4 });
  assert.deepEqual(spread(replies), { real1: 2, real2: 2 });
}

/** Sees that the client gets no answer to some of its requests. */
export async function unanswered(site: Site, url: string): Promise<void> {
  const replies = await site.client.get(url, { count: 2, patienceSeconds: 1 });
  assert.ok(!replies.every(isAnswer), JSON.stringify(replies));
}

/** Proves findings of real1, on a site that is there in the tests of the suite. */
export function proverOf(site: Site): (one: RealServerCase) => void {
  let real1: Resident;
  before(() => {
    real1 = startResident("real1");
  });
  after(() => real1.stop());
  return (one) => {
    const said = one.name ?? one.subject;
    const name = `${one.id}${said === undefined ? "" : `: ${said}`}`;
    test(name, { skip: one.skip ?? false }, () => prove(site, real1, one));
  };
}

/**
 * All is well and the doctor silent; the fault is made, and traffic fails; the doctor names it; its fix is carried
 * out as printed, and traffic is back; the doctor is silent.
 */
async function prove(
  site: Site,
  real1: Resident,
  one: RealServerCase,
): Promise<void> {
  const { id, rules, words, url = "" } = one;
  const works = one.works ?? (() => shared(site, url));
  const fails = one.fails ?? (() => unanswered(site, url));
  await balance(rules);
  try {
    forget(site);
    await works();
    await silent(real1, words);
    if (one.healthy) {
      await one.healthy();
      forget(site);
      await works();
      await silent(real1, words);
    }
    if (typeof one.fault === "string") site.network.sh("real1", one.fault);
    else await one.fault();
    forget(site);
    await fails();
    const { found, status } = await examined(real1, words);
    const first = namedIn(found, one);
    const errors = found.some(({ severity }) => severity === "error");
    assert.equal(status, errors ? 1 : 0);
    if (one.cure) {
      assert.deepEqual(first.fix, []);
      await one.cure(first);
    } else
      for (const finding of found)
        if (finding.id === id) carryOut(site, finding, one);
    forget(site);
    await works();
    await silent(real1, words);
  } finally {
    await one.lastly?.();
  }
}

/** The finding that is to be there, and no other. */
function namedIn(found: readonly Found[], one: RealServerCase): Found {
  const { id, subject, seen, severity = "error", also = [] } = one;
  const first = found.find((finding) => finding.id === id);
  assert.ok(first, `${id} is not in ${JSON.stringify(found)}`);
  const others = found.filter((finding) => finding.id !== id);
  assert.deepEqual(
    others.map((other) => other.id),
    also,
  );
  if (subject !== undefined) assert.equal(first.subject, subject);
  if (seen) assert.match(first.seen, seen);
  if (one.evidence) assert.match(first.evidence.join("\n"), one.evidence);
  assert.equal(first.certainty, one.certainty ?? "proven");
  assert.equal(first.severity, severity);
  return first;
}

/** The command that a finding describes in its evidence, and does not offer as a fix. */
export function described({ evidence }: Found): string {
  const [, command] = /"([^"]+)"/.exec(evidence.join()) ?? [];
  assert.ok(command !== undefined, evidence.join());
  return command;
}

/** The setting that a cure describes, and does not offer as a fix: `set net.ipv4.conf.back.rp_filter to 2`. */
export function describedSetting({ cure, fix }: Found): string {
  assert.deepEqual(fix, []);
  const [, name, value] = /\bset (net\.\S+) to (\d)/.exec(cure) ?? [];
  assert.ok(name !== undefined && value !== undefined, cure);
  return `sysctl -w ${name}=${value}`;
}

/** Runs the commands of a fix as they are printed. */
function carryOut(
  site: Site,
  { fix }: Found,
  { fills = {} }: RealServerCase,
): void {
  assert.notEqual(fix.length, 0, "there is a command that fixes it");
  for (const { command, on } of fix) {
    assert.equal(on, null);
    const filled = command.replace(
      /\b[A-Z]{4,}\b/g,
      (word) => fills[word] ?? word,
    );
    site.network.sh("real1", filled);
  }
}
