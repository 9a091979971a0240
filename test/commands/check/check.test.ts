import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import fc from "fast-check";
import type { Io } from "../../../src/runtime/io.js";
import { terminal, subcommand } from "../run-subcommand.js";
import { golden, goldenName, WIDTHS } from "../golden.js";

const folder = mkdtempSync(join(tmpdir(), "check-"));

function fileWith(name: string, text: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** An environment that check must not use. */
const NOWHERE: Partial<Io> = {
  openLink() {
    throw new Error("check must not use the kernel");
  },
  loadModule() {
    throw new Error("check must not load modules");
  },
  mayAdministerNetworks() {
    throw new Error("check must not look at privileges");
  },
};

const check = (line: string, stdin = "", io: Partial<Io> = {}) =>
  subcommand(`check ${line}`, {
    stdin: [Buffer.from(stdin).toString("latin1").split("\n")],
    io: { ...NOWHERE, ...io },
  });

const VALID = "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 192.0.2.10 -m\n";
const SUSPICIOUS = "-A -t 192.0.2.1:80 -s wlcc\n";
const FAULTY = `# by hand
-A -t 192.0.2.1:80 -s wlcc
\t-a -t 192.0.2.1:80 -r 192.0.2.10:8080 -g -w heavy
-a -t 192.0.2.1:80 -r 192.0.2.11:8080
-A -u 192.0.2.2:53 --mcast-interface 世界\x1b[2J -w
ipvsadm -a -t 192.0.2.3:80 -r 192.0.2.10 -m
`;

suite("check", () => {
  after(() => {
    rmSync(folder, { recursive: true });
  });

  test("check shows each finding with its line, at every width", async () => {
    for (const width of WIDTHS) {
      const { stdout, stderr, status } = await check(
        "-",
        FAULTY,
        terminal(width, { NO_COLOR: "1" }),
      );
      golden(goldenName("check", width), stdout);
      assert.deepEqual([stderr, status], ["", 1]);
    }
  });

  test("check --color always changes only the colors", async () => {
    const { stdout } = await check("- --color always", FAULTY);
    // eslint-disable-next-line no-control-regex -- colors are what is looked for
    const bare = stdout.replace(/\x1b\[[0-9;]*m/g, "");
    assert.notEqual(stdout, bare);
    assert.equal(bare, (await check("-", FAULTY)).stdout);
  });

  test("check -o json prints the findings as JSON", async () => {
    const { stdout, status } = await check("- -o json", FAULTY);
    golden("check.json", stdout);
    assert.equal(status, 1);
  });

  test("check exits with 1 for errors, and with --strict for warnings", async () => {
    const statuses = async (text: string) => [
      (await check("-", text)).status,
      (await check("- --strict", text)).status,
      (await check("- -o json --strict", text)).status,
    ];
    assert.deepEqual(await statuses(VALID), [0, 0, 0]);
    assert.deepEqual(await statuses(SUSPICIOUS), [0, 1, 1]);
    assert.deepEqual(await statuses(FAULTY), [1, 1, 1]);
    assert.equal((await subcommand("check")).status, 2);
    assert.equal((await check("- --output yaml", VALID)).status, 2);
  });

  test("check prints a summary line for each file", async () => {
    const valid = fileWith("valid", VALID);
    const suspicious = fileWith("suspicious", SUSPICIOUS);
    const { stdout } = await check(`${valid} ${suspicious}`);
    assert.match(
      stdout,
      /^\S+\/valid: no problems in 1 service with 1 real server$/m,
    );
    assert.match(
      stdout,
      /^\S+\/suspicious: 2 warnings in 1 service with 0 real servers$/m,
    );
  });

  test("check reports a file that cannot be read, and checks the others", async () => {
    const valid = fileWith("valid", VALID);
    const { stdout, stderr, status } = await check(
      `${folder}/nothing ${folder} ${valid}`,
    );
    assert.equal(
      stderr,
      `ipvsadm: cannot read ${folder}/nothing: No such file or directory\n` +
        `ipvsadm: cannot read ${folder}: Is a directory\n`,
    );
    assert.match(stdout, /^\S+valid: no problems/);
    assert.equal(status, 1);
    const json = await check(`${folder}/nothing -o json`);
    assert.match(
      json.stdout,
      /"unreadable": "cannot read .*: No such file or directory"/,
    );
    assert.equal(json.status, 1);
  });

  test("check --no-resolve assumes that all host names exist, but not malformed addresses", async () => {
    const names = {
      hostAddress: () =>
        Promise.reject(new Error("check must not use the resolver")),
      hostName: () => Promise.resolve(undefined),
      servicePort: () => undefined,
      serviceName: () => undefined,
    };
    const text = `-A -t web.example:80
-a -t web.example:80 -r one.example -m
-a -t web.example:80 -r one.example:80 -m
-a -t web.example:80 -r 192.0.2.256 -m
`;
    const { stdout } = await check("- --no-resolve", text, { names });
    assert.match(
      stdout,
      /^-:3:25: error: duplicate real server, first in line 2/m,
    );
    assert.match(stdout, /^-:4:25: error: illegal real server/m);
    assert.match(stdout, /^-: 2 errors in 1 service/m);
  });

  test("check cuts a long line to the part around the caret", async () => {
    const text = JSON.stringify({
      schema: "ipvsadm/table/1",
      services: Array.from({ length: 1000 }, (_, i) => ({
        protocol: "tcp",
        address: "192.0.2.1",
        port: i === 700 ? -1 : i + 1,
        scheduler: "rr",
      })),
    });
    const { stdout } = await check("-", text, terminal(80, { NO_COLOR: "1" }));
    const lines = stdout.split("\n");
    const at = lines.findIndex((line) => line.includes("services[700].port"));
    assert.ok(at >= 0);
    const [, shown = "", caret = ""] = lines.slice(at);
    assert.ok(shown.length <= 80);
    assert.equal(shown.slice(caret.indexOf("^")).slice(0, 2), "-1");
  });

  test("check survives any content, and never writes control characters to the terminal", async () => {
    const scrap = fc.oneof(
      fc.constantFrom(
        "-A",
        "-a",
        "-t",
        "-r",
        "\n",
        " ",
        "{",
        "}",
        "[",
        '"',
        ":",
        "- ",
        "schema",
        "services",
        "192.0.2.1:80",
        "&a",
        "*a",
        "\x1b[2J",
        "\x9b",
        "\r",
        "\t",
        "\0",
        "\u202e",
        "世",
      ),
      fc.string(),
      fc.string({ unit: "binary" }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(scrap, { maxLength: 20 }),
        fc.constantFrom("a", "a.json", "a.yaml"),
        async (scraps, name) => {
          const path = fileWith(name, scraps.join(""));
          const { stdout, stderr, status } = await check(path);
          assert.doesNotMatch(
            (stdout + stderr).replaceAll("\n", ""),
            /[\p{Cc}\u202e]/u,
          );
          assert.equal(stderr, "");
          assert.ok(status === 0 || status === 1);
        },
      ),
      { numRuns: 400 },
    );
  });

  test("the installed program reads all three formats", () => {
    const json = `{"schema": "ipvsadm/table/1", "services": [], "daemons": []}`;
    for (const [name, text] of [
      ["a.rules", VALID],
      ["a.json", json],
      ["a.yaml", "schema: ipvsadm/table/1\nservices: []\ndaemons: []\n"],
    ] as const) {
      const path = fileWith(name, text);
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        ["dist/bin/ipvsadm.cjs", "check", path],
        { encoding: "utf8", env: {} },
      );
      assert.match(`${stdout}${stderr}`, /: no problems in/);
      assert.equal(status, 0);
    }
  });
});
