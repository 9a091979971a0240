import assert from "node:assert/strict";
import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { FindingId } from "../../../src/doctor/findings.js";
import { eventually } from "../../lab/eventually.js";
import { isAnswer } from "../../lab/http.js";
import { installPrograms } from "../../lab/installed.js";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { balance } from "../../traffic/ipvsadm.js";
import type { Site } from "../../traffic/site.js";
import { startResident } from "./resident.js";

/** Where the programs are that fixes call. */
export const PROGRAMS = installPrograms();
// The kernel of the guest has no nf_tables, which iptables uses by default.
for (const name of ["iptables", "ip6tables"])
  if (existsSync(`/usr/sbin/${name}-legacy`))
    symlinkSync(`/usr/sbin/${name}-legacy`, join(PROGRAMS, name));

/** A finding as `doctor -o json` has it. */
export interface Found {
  readonly id: string;
  readonly severity: string;
  readonly subject: string | null;
  readonly seen: string;
  readonly certainty: string;
  readonly evidence: readonly string[];
  readonly next: readonly Command[];
  readonly fix: readonly Command[];
  /** How to fix it, if no command does */
  readonly cure: string;
}

interface Command {
  readonly command: string;
  readonly on: string | null;
  readonly effect: string | null;
}

/** How a finding is proven: a fault is made, doctor finds it, and what it prints repairs it. */
export interface Case {
  readonly id: FindingId;
  /** The table that works */
  readonly rules: string;
  /** Whom the client asks: a URL, unless `works` and `fails` say it */
  readonly url?: string;
  /** What is there before the fault, besides the rules */
  readonly prepare?: () => Promise<void> | void;
  /** What goes on while the doctor examines */
  readonly traffic?: (goesOn: () => boolean) => Promise<void>;
  /** Why it cannot be proven here */
  readonly skip?: string | false;
  /** Makes the fault: shell commands on a host */
  readonly fault: () => Promise<void> | void;
  /** Sees that traffic goes as it should, before the fault and after the fix. */
  readonly works?: () => Promise<void>;
  /** Sees what the fault does to traffic. */
  readonly fails?: () => Promise<void>;
  /** Told apart from other cases of the same id and subject */
  readonly name?: string;
  /** What is in the finding besides its id */
  readonly subject?: string;
  readonly seen?: RegExp;
  /** One of its sentences of evidence */
  readonly evidence?: RegExp;
  /** What the next step, which is another examination, finds on its machine */
  readonly there?: FindingId;
  /** Repairs what no command of doctor repairs, such as to start a program */
  readonly repair?: (finding: Found) => Promise<void> | void;
  /** Options of doctor besides its output: `--probe` */
  readonly options?: string;
  /** Other findings that the fault brings about */
  readonly also?: readonly FindingId[];
  /** What the reader knows: `{ SERVER: "192.0.2.10:80" }` */
  readonly words?: Readonly<Record<string, string>>;
  /** Machines of which the fix speaks: `{ "real server 203.0.113.11": "real1" }` */
  readonly machines?: Readonly<Record<string, string>>;
  /** What the fix asks the administrator to do, such as to load a module again */
  readonly afterFix?: () => Promise<void> | void;
  /** What was changed and no fix changes back */
  readonly lastly?: () => Promise<void> | void;
}

/** What the doctor finds, with the exit status. @param expected whether it could look for all there is */
export async function examined(
  expected: "all examined" | "some unexamined" = "all examined",
  options = "",
): Promise<{ found: readonly Found[]; status: number }> {
  const words = options.split(" ").filter((word) => word !== "");
  const line = ["doctor", ...words, "-o", "json"];
  const { stdout, stderr, status } = await ours(line);
  assert.equal(stderr, "");
  const { findings, unexamined } = JSON.parse(stdout) as {
    findings: readonly Found[];
    unexamined: readonly object[];
  };
  if (expected === "all examined") assert.deepEqual(unexamined, []);
  else assert.notDeepEqual(unexamined, []);
  return { found: findings, status };
}

/** Sees that there is nothing to be found. */
export async function silent(): Promise<void> {
  const { found, status } = await examined();
  assert.deepEqual(found, []);
  assert.equal(status, 0);
}

/** Runs the commands of a fix as they are printed, as an administrator on the machine would. @param here the machine of doctor */
export function carryOut(
  site: Site,
  { fix }: Found,
  { words = {}, machines = {} }: Pick<Case, "words" | "machines">,
  here: string = DIRECTOR,
): void {
  assert.notEqual(fix.length, 0, "there is a command that fixes it");
  for (const { command, on } of fix) {
    const host = on === null ? here : machines[on];
    assert.ok(host !== undefined, `nobody is ${on}`);
    const filled = command.replace(
      /\b[A-Z]{4,}\b/g,
      (word) => words[word] ?? word,
    );
    site.network.sh(host, `PATH=${PROGRAMS}:$PATH; ${filled}`);
  }
}

/**
 * Proves a finding: traffic goes as it should; the fault is made, and it fails; the doctor names it; its fix is
 * carried out as printed, and traffic is back; the doctor is silent.
 */
export function proves(site: Site, one: Case): void {
  const { id, rules, url = "" } = one;
  const works = one.works ?? (() => answered(site, url));
  const fails = one.fails ?? (() => unanswered(site, url));
  const told = one.name ?? one.subject;
  const name = told === undefined ? id : `${id}: ${told}`;
  test(name, { skip: one.skip ?? false }, async () => {
    await balance(rules);
    try {
      await one.prepare?.();
      await works();
      await one.fault();
      await fails();
      const { found, status } = await amid(one.traffic, () =>
        examined("all examined", one.options),
      );
      const mine = found.filter((finding) => finding.id === id);
      assert.deepEqual(
        found.filter(({ id: other }) => other !== id).map((other) => other.id),
        one.also ?? [],
      );
      const [first] = mine;
      assert.ok(first, `${id} is not found`);
      if (one.subject !== undefined) assert.equal(first.subject, one.subject);
      if (one.seen) assert.match(first.seen, one.seen);
      if (one.evidence) assert.match(first.evidence.join("\n"), one.evidence);
      // The most likely cause comes first.
      assert.equal(
        found.findIndex((finding) => finding.id === id),
        0,
      );
      const errors = found.some(({ severity }) => severity === "error");
      assert.equal(status, errors ? 1 : 0);
      if (one.there)
        for (const finding of mine)
          await repairThere(site, finding, one, one.there);
      else if (one.repair) await one.repair(first);
      else for (const finding of mine) carryOut(site, finding, one);
      await one.afterFix?.();
      await soon(works);
      await amid(one.traffic, silent);
    } finally {
      await one.lastly?.();
    }
  });
}

/** Repairs what the next step `doctor --probe` proves: without proof no command takes the server out. */
export function repairsByProbe(site: Site): (finding: Found) => Promise<void> {
  return async ({ id, subject, certainty, next, fix }) => {
    assert.equal(certainty, "likely");
    assert.deepEqual(fix, []);
    const probe = next.find(({ command }) => command.endsWith("--probe"));
    assert.deepEqual(probe, {
      command: "ipvsadm doctor --probe",
      on: null,
      effect: null,
    });
    const { found } = await examined("all examined", "--probe");
    const proven = found.find((one) => one.id === id);
    assert.ok(proven, JSON.stringify(found));
    assert.equal(proven.subject, subject);
    assert.equal(proven.certainty, "proven");
    carryOut(site, proven, {});
  };
}

/** Takes the next step that is printed, on its machine, and repairs what is found there. */
async function repairThere(
  site: Site,
  { next }: Found,
  one: Case,
  id: FindingId,
): Promise<void> {
  const [step] = next;
  const host = one.machines?.[step?.on ?? ""];
  assert.ok(step && host !== undefined, `nobody is ${step?.on ?? "there"}`);
  const resident = startResident(host);
  try {
    const words = [...wordsOf(step.command).slice(1), "-o", "json"];
    const { stdout, stderr } = await resident.run(words);
    assert.equal(stderr, "");
    const { findings } = JSON.parse(stdout) as { findings: readonly Found[] };
    const [first] = findings;
    assert.equal(first?.id, id, stdout);
    if (one.repair) await one.repair(first);
    else
      for (const finding of findings)
        for (const { command } of finding.fix) site.network.sh(host, command);
    const after = await resident.run(words);
    assert.deepEqual(
      (JSON.parse(after.stdout) as { findings: [] }).findings,
      [],
    );
  } finally {
    await resident.stop();
  }
}

/** Sees that the doctor finds nothing where all is well. */
export function healthy(
  site: Site,
  rules: string,
  works: (site: Site) => Promise<void>,
  what: string,
  skip: string | false = false,
): void {
  test(`doctor finds nothing: ${what}`, { skip }, async () => {
    await balance(rules);
    await works(site);
    await silent();
  });
}

/** Does something while there is traffic. */
async function amid<T>(
  traffic: Case["traffic"] = () => Promise.resolve(),
  act: () => Promise<T>,
): Promise<T> {
  let acting = true;
  const during = traffic(() => acting);
  try {
    return await act();
  } finally {
    acting = false;
    await during;
  }
}

/** Tries again for some time: a fix takes effect when the neighbors have been found again. */
async function soon(works: () => Promise<void>): Promise<void> {
  const tried = await eventually(
    () => Promise.allSettled([works()]),
    ([{ status }]) => status === "fulfilled",
  );
  assert.deepEqual(tried, [{ status: "fulfilled", value: undefined }]);
}

/** Sees that the client gets answers. */
export async function answered(site: Site, url: string): Promise<void> {
  const replies = await site.client.get(url, {
    count: 4,
    patienceSeconds: 15,
  });
  assert.ok(replies.every(isAnswer), JSON.stringify(replies));
  assert.equal(replies.length, 4);
}

/** Sees that the client does not get an answer to all of its requests. */
export async function unanswered(site: Site, url: string): Promise<void> {
  const replies = [];
  for (let i = 0; i < 2; i++)
    replies.push(...(await site.client.get(url, { patienceSeconds: 1 })));
  assert.ok(!replies.every(isAnswer), JSON.stringify(replies));
}

/** So many requests are enough for doctor, even if the first is as old as the last answer before the fault. */
const ENOUGH_REQUESTS = 4;

/** Has the client ask for some seconds, and sees that it gets no answer at all. */
export async function unansweredForLong(
  site: Site,
  url: string,
): Promise<void> {
  const end = Date.now() + 4000;
  for (let i = 0; i < ENOUGH_REQUESTS || Date.now() < end; i++) {
    const replies = await site.client.get(url, { patienceSeconds: 1 });
    assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
  }
}

/** The words of a command as a shell reads them, if it has no blank inside quotes. */
export function wordsOf(command: string): string[] {
  return command.split(" ").map((word) => word.replaceAll("'", ""));
}
