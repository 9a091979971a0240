import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { bash, installPrograms } from "../lab/installed.js";
import { makeNamespace, removeNamespace, sh } from "../lab/namespaces.js";
import { allPages, readPage, type Fence, type Place } from "./markdown.js";

/*
 * Runs what pages ask their readers to paste. A block of code that begins with "```sh lab" runs on the lab's own
 * machine, one with "```sh lab:machine1" on that machine. If a block of "text" follows, it is what the commands print.
 */

const MACHINES = ["machine1", "machine2"];
const MACHINE = /^lab(?::(\w+))?$/;

interface Step {
  readonly line: number;
  readonly machine: string | undefined;
  readonly code: string;
  readonly output: string | undefined;
}

/** The blocks of a page that run, in their order. */
function stepsOf(fences: readonly Place<Fence>[]): Step[] {
  return fences.flatMap(({ line, value: { info, code } }, i) => {
    const match = MACHINE.exec(info[1] ?? "");
    if (info[0] !== "sh" || !match) return [];
    const next = fences[i + 1]?.value;
    const output = next?.info[0] === "text" ? next.code : undefined;
    return [{ line, machine: match[1], code, output }];
  });
}

/** Two machines with a cable between them: 10.0.0.1 and 10.0.0.2. */
function connectMachines(): void {
  MACHINES.forEach(makeNamespace);
  sh(`
    ip -n machine1 link add eth0 type veth peer name eth0 netns machine2
    for i in 1 2; do
      ip -n machine$i address add 10.0.0.$i/24 dev eth0
      ip -n machine$i link set eth0 up
    done`);
}

/** Programs that the blocks of a page call and this machine does not have, as a test's option `skip`. */
function missingTools(steps: readonly Step[]): string | false {
  const missing = ["curl", "jq", "python3"].filter(
    (tool) =>
      steps.some(({ code }) => new RegExp(`\\b${tool}\\b`).test(code)) &&
      sh(`command -v ${tool} || true`) === "",
  );
  return missing.length > 0 && `not installed: ${missing.join(", ")}`;
}

/** Blanks at the end of a line do not count: editors remove them from pages. */
function trimmed(text: string): string {
  return text.replace(/ +$/gm, "");
}

// Translations have the blocks of their originals: translations.test.ts.
const ORIGINALS = allPages().filter((page) => !page.startsWith("docs/zh-CN/"));

for (const page of ORIGINALS) {
  const steps = stepsOf(readPage(readFileSync(page, "utf8")).fences);
  if (steps.length === 0) continue;
  suite(`the commands of ${page}`, { skip: missingTools(steps) }, () => {
    let programs: string;
    before(() => {
      programs = installPrograms();
      connectMachines();
    });
    after(() => {
      sh(
        MACHINES.map((name) => `ip netns pids ${name} | xargs -r kill`).join(
          "\n",
        ),
      );
      MACHINES.forEach(removeNamespace);
    });

    for (const { line, machine, code, output } of steps)
      test(`line ${line} prints what stands under it`, () => {
        const place = machine === undefined ? "" : `ip netns exec ${machine} `;
        const command = `${place}bash -ec "$CODE"`;
        const done = bash(programs, command, "", { CODE: code });
        const stdout = Buffer.from(done.stdout, "latin1").toString("utf8");
        assert.equal(done.stderr, "");
        assert.equal(done.status, 0);
        if (output !== undefined)
          assert.equal(trimmed(stdout), trimmed(output));
      });
  });
}
