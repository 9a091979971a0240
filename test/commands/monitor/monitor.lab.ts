import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { nodeIo } from "../../../src/runtime/node-io.js";
import { countingLink } from "../../lab/counting-link.js";
import { ours } from "../../lab/program.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";

const SERVICE = "192.0.2.100:80";
const NAME = `tcp/${SERVICE}`;
const SERVER = "198.51.100.11:80";

/** How often the table is read before `monitor` knows the first state. */
const FIRST_READINGS = 2;

/**
 * Runs `monitor` or `watch --events`, and commands that change the table: the first one after the first state is known, the
 * others each after the change before was printed.
 *
 * @returns the lines without the time
 */
async function monitored(
  words: readonly string[],
  commands: readonly string[],
  lines = commands.length,
): Promise<string[]> {
  const rest = [...commands];
  let stdout = "";
  let readings = 0;
  let failed: unknown;
  const next = () => {
    const command = rest.shift();
    if (command !== undefined)
      ipvsadm(command).catch((error: unknown) => {
        failed = error;
      });
  };
  const { stderr, status } = await ours(
    [...words, "-i", "0.2", "-n", String(lines)],
    "",
    {
      async openLink() {
        const link = await nodeIo().openLink();
        return countingLink(link, () => {
          // The third dump begins after the first state was read.
          if (++readings === FIRST_READINGS + 1) next();
        });
      },
      stdout(text) {
        stdout += text;
        next();
      },
    },
  );
  assert.equal(failed, undefined);
  assert.deepEqual([stderr, status], ["", 0]);
  return Buffer.from(stdout, "latin1")
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) =>
      line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d /, ""),
    );
}

const COMMANDS = [
  `-A -t ${SERVICE} -s rr`,
  `-a -t ${SERVICE} -r ${SERVER} -m -w 3`,
  `-e -t ${SERVICE} -r ${SERVER} -m -w 0`,
  `-E -t ${SERVICE} -s wlc -p 300`,
  "--set 901 0 0",
  `-d -t ${SERVICE} -r ${SERVER}`,
  `-D -t ${SERVICE}`,
];

suite("monitor on a kernel", () => {
  test("monitor prints what other programs change", async () => {
    await ipvsadm("-C");
    await ipvsadm("--set 900 0 0");
    assert.deepEqual(await monitored(["monitor"], COMMANDS), [
      `add    ${NAME} rr`,
      `add    ${NAME} ${SERVER} masq weight 3`,
      `change ${NAME} ${SERVER} weight 3 → 0`,
      `change ${NAME} scheduler rr → wlc, persistence none → 300`,
      "change timeouts tcp 900s → 901s",
      `remove ${NAME} ${SERVER} masq weight 0`,
      `remove ${NAME} wlc persistent 300`,
    ]);
    await ipvsadm("--set 900 0 0");
  });

  test("watch --events -o ndjson prints the same as objects", async () => {
    await ipvsadm("-C");
    const lines = await monitored(
      ["watch", "--events", "-o", "ndjson"],
      COMMANDS.slice(0, 3),
    );
    const found = lines.map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    );
    assert.deepEqual(
      found.map(({ change, of, service, server }) => [
        change,
        of,
        service,
        server,
      ]),
      [
        ["add", "service", NAME, undefined],
        ["add", "server", NAME, SERVER],
        ["change", "server", NAME, SERVER],
      ],
    );
    await ipvsadm("-C");
  });

  test("monitor prints one line per entry when the table is cleared", async () => {
    await ipvsadm("-C");
    for (const command of COMMANDS.slice(0, 2)) await ipvsadm(command);
    assert.deepEqual(await monitored(["monitor", NAME], ["-C"], 2), [
      `remove ${NAME} rr`,
      `remove ${NAME} ${SERVER} masq weight 3`,
    ]);
  });
});
