import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { renderDrawing } from "./drawing.js";
import { GUIDE_DRAWINGS } from "./guide-drawings.js";
import { GUIDE_NETWORKS } from "./guide-networks.js";
import { readSteps, replaceOutputs, withoutChance } from "./guide-steps.js";

const GUIDES = "docs/guides";

function guides(): string[] {
  return readdirSync(GUIDES)
    .filter((file) => file.endsWith(".md"))
    .map((file) => file.replace(".md", ""));
}

test("the drawings in docs/guides are those of guide-drawings.ts (node dist/test/docs/draw-guides.js writes them)", () => {
  for (const [name, drawing] of Object.entries(GUIDE_DRAWINGS))
    assert.equal(
      readFileSync(`${GUIDES}/${name}.svg`, "utf8"),
      renderDrawing(drawing),
      name,
    );
});

test("each guide begins with its drawing and has a network for its commands", () => {
  for (const name of guides()) {
    const [, , picture] = readFileSync(`${GUIDES}/${name}.md`, "utf8").split(
      "\n",
    );
    assert.match(picture ?? "", new RegExp(`^!\\[.*\\]\\(${name}\\.svg\\)$`));
    assert.ok(name in GUIDE_DRAWINGS, name);
    assert.ok(name in GUIDE_NETWORKS, name);
  }
});

test("each guide has commands, and machines of its network run them", () => {
  for (const name of guides()) {
    const steps = readSteps(readFileSync(`${GUIDES}/${name}.md`, "utf8"));
    const hosts = Object.keys(GUIDE_NETWORKS[name]?.plan ?? {});
    assert.notEqual(steps.length, 0, name);
    for (const { line, hosts: wanted } of steps)
      for (const host of wanted)
        assert.ok(
          hosts.includes(host === "director" ? "balancer" : host),
          `${name}.md:${line}: ${host}`,
        );
  }
});

const SAMPLE = `# Title

\`\`\`sh server1 server2 fails
false
\`\`\`

It prints:

\`\`\`text
no
\`\`\`

\`\`\`sh director
true
\`\`\`

\`\`\`ini
a = 1
\`\`\`

\`\`\`text
not an output
\`\`\`
`;

test("readSteps() finds commands, their machines and the output that follows", () => {
  const steps = readSteps(SAMPLE);
  assert.deepEqual(
    steps.map(({ line, hosts, commands, fails, output }) => ({
      line,
      hosts,
      commands,
      fails,
      output,
    })),
    [
      {
        line: 4,
        hosts: ["server1", "server2"],
        commands: "false\n",
        fails: true,
        output: "no\n",
      },
      {
        line: 14,
        hosts: ["director"],
        commands: "true\n",
        fails: false,
        output: undefined,
      },
    ],
  );
});

test("readSteps() refuses commands without a machine", () => {
  assert.throws(() => readSteps("```sh\nreboot\n```\n"), /^Error: line 1: no/);
});

test("replaceOutputs() changes outputs and nothing else", () => {
  const outputs = new Map(
    readSteps(SAMPLE).map((step) => [step, "No!\n"] as const),
  );
  assert.equal(
    replaceOutputs(SAMPLE, outputs),
    SAMPLE.replace("\nno\n", "\nNo!\n"),
  );
});

test("withoutChance() keeps what a guide promises", () => {
  const listing = `IPVS connection entries
pro expire state       source             virtual            destination
TCP 01:49  TIME_WAIT   192.0.2.10:33654   192.0.2.100:80     198.51.100.11:8080
TCP 01:40  TIME_WAIT   192.0.2.10:51908   192.0.2.100:80     198.51.100.12:8080`;
  const lines = listing.split("\n");
  const [first = "", second = ""] = lines.splice(2);
  assert.equal(
    withoutChance(
      [...lines, second, first.replace("33654", "40000")].join("\n"),
    ),
    withoutChance(listing),
  );
  assert.notEqual(
    withoutChance(listing),
    withoutChance(listing.replace("100.11", "100.12")),
  );
  assert.notEqual(
    withoutChance("InPkts OutPkts\nTCP 192.0.2.1:80 3 12"),
    withoutChance("InPkts OutPkts\nTCP 192.0.2.1:80 3 0"),
  );
});
