// cspell:ignore Aerror nnot rror
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { Ajv } from "ajv";
import { workflowCommands } from "../../../src/commands/check/github.js";
import { subcommand } from "../run-subcommand.js";

const folder = mkdtempSync(join(tmpdir(), "check-ci-"));

function check(line: string, rules: string) {
  const stdin = [Buffer.from(rules).toString("latin1").split("\n")];
  return subcommand(`check ${line}`, { stdin });
}

const RULES = `-A -t 192.0.2.1:80 -s wrr
-a -t 192.0.2.1:80 -r 10.0.0.11:8080 -g
-A -u 192.0.2.53:53 -s 世界
-w
`;

interface Log {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: {
      readonly driver: { readonly rules: readonly { readonly id: string }[] };
    };
    readonly invocations: readonly {
      readonly executionSuccessful: boolean;
      readonly toolExecutionNotifications: readonly object[];
    }[];
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: {
            readonly uri: string;
            readonly uriBaseId?: string;
          };
          readonly region: Readonly<Record<string, unknown>>;
        };
        readonly logicalLocations?: readonly {
          readonly fullyQualifiedName: string;
        }[];
      }[];
    }[];
  }[];
}

/** The schema of the standard. It is of an older draft, of which it uses nothing that changed. */
const { $schema, id, ...schema } = JSON.parse(
  readFileSync(
    "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json",
    "utf8",
  ),
) as Record<string, unknown>;
assert.match(String($schema), /draft-04/);
assert.match(String(id), /sarif/);
const validate = new Ajv({
  strict: false,
  validateFormats: false,
  unicodeRegExp: false,
}).compile(schema);

/** Parses a SARIF log, which must follow the schema of the standard. */
function parsed(text: string): Log {
  const log: unknown = JSON.parse(text);
  validate(log);
  assert.deepEqual(validate.errors ?? [], []);
  return log as Log;
}

suite("check for CI", () => {
  after(() => {
    rmSync(folder, { recursive: true });
  });

  test("check -o sarif follows the schema of SARIF 2.1.0 and has each finding with its place", async () => {
    const { stdout, status } = await check("- -o sarif", RULES);
    assert.equal(status, 1);
    const [run] = parsed(stdout).runs;
    assert.ok(run);
    const rules = run.tool.driver.rules.map(({ id }) => id);
    assert.deepEqual(
      run.results.map(({ ruleId, level, locations: [place] }) => [
        ruleId,
        level,
        place?.physicalLocation.region["startLine"],
        place?.physicalLocation.region["startColumn"],
        place?.logicalLocations?.[0]?.fullyQualifiedName,
      ]),
      [
        ["port-ignored", "warning", 2, 23, "tcp/192.0.2.1:80 10.0.0.11:80"],
        ["no-servers", "warning", 3, 1, "udp/192.0.2.53:53"],
        ["unknown-scheduler", "warning", 3, 24, "udp/192.0.2.53:53"],
        ["form", "error", 4, 1, undefined],
      ],
    );
    for (const { ruleId, ruleIndex } of run.results)
      assert.equal(rules[ruleIndex], ruleId);
    assert.match(stdout, /unknown scheduler \\"世界\\"/);
    assert.equal(run.invocations[0]?.executionSuccessful, true);
  });

  test("check -o sarif names files by URIs, and reports those that it cannot read", async () => {
    const missing = join(folder, "missing");
    const { stdout, status } = await subcommand(`check -o sarif ${missing}`);
    assert.equal(status, 1);
    const [run] = parsed(stdout).runs;
    assert.equal(run?.invocations[0]?.executionSuccessful, false);
    assert.match(
      JSON.stringify(run.invocations[0].toolExecutionNotifications),
      /No such file or directory/,
    );
    const good = join(folder, "c%d.rules");
    writeFileSync(good, "-w\n");
    const [second] = parsed(
      (await subcommand(`check -o sarif ${good}`)).stdout,
    ).runs;
    const place = second?.results[0]?.locations[0]?.physicalLocation;
    assert.equal(
      place?.artifactLocation.uri,
      new URL(`file://${folder}/c%25d.rules`).href,
    );
  });

  test("check -o sarif names a relative path from where it was called", async () => {
    const [run] = parsed(
      (await subcommand("check -o sarif package.json")).stdout,
    ).runs;
    assert.deepEqual(
      run?.results[0]?.locations[0]?.physicalLocation.artifactLocation,
      { uri: "package.json", uriBaseId: "%SRCROOT%" },
    );
  });

  test("check -o sarif is an empty list of results if there are no findings", async () => {
    const { stdout, status } = await check(
      "- -o sarif",
      "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 10.0.0.11 -m\n",
    );
    assert.equal(status, 0);
    assert.deepEqual(parsed(stdout).runs[0]?.results, []);
  });

  test("check -o github prints a workflow command for each finding", async () => {
    const path = join(folder, "rules");
    writeFileSync(path, "-A -t 192.0.2.1:80\n-w\n");
    const missing = join(folder, "missing");
    const { stdout, stderr, status } = await subcommand(
      `check -o github ${path} ${missing}`,
    );
    assert.deepEqual([stderr, status], ["", 1]);
    assert.equal(
      stdout,
      `::warning file=${path},line=1,col=1,title=no-servers::the service has no real servers: it refuses all connections (add a real server, or remove the service)
::error file=${path},line=2,col=1,title=form::${/title=form::(.*)/.exec(stdout)?.[1] ?? ""}
::error file=${missing}::cannot read ${missing}: No such file or directory
`,
    );
  });

  test("workflowCommands() escapes what would end a command or a property", () => {
    const [line = ""] = workflowCommands([
      {
        name: "a,b:c%d\n::error::x",
        file: undefined,
        unreadable: "100% wrong\r\n::set-output name=x::y",
        findings: [],
        namesOf: () => ({}),
      },
    ]);
    assert.equal(
      line,
      "::error file=a%2Cb%3Ac%25d?%3A%3Aerror%3A%3Ax::100%25 wrong??::set-output name=x::y",
    );
  });

  test("check -q prints findings, and nothing else", async () => {
    const good = "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 10.0.0.11 -m\n";
    assert.deepEqual((await check("-q -", good)).stdout, "");
    const bad = await check("--quiet -", "-w\n");
    assert.equal(bad.status, 1);
    assert.match(bad.stdout, /^-:1:1: error: /);
    assert.doesNotMatch(bad.stdout, /1 error in/);
    const { stderr, status } = await check("-q -o json -", good);
    assert.match(stderr, /--quiet works with the format text, not with json/);
    assert.equal(status, 2);
  });
});
