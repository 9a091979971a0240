import assert from "node:assert/strict";
import { resolve } from "node:path";
import { suite, test } from "node:test";
import { runClassic } from "../../src/classic/run.js";
import { ruleText } from "../bench/rules.js";
import { runIn } from "../classic/scripted-io.js";
import { run } from "./programs.js";
import { hexLine, recordingLink } from "./recording-link.js";

const RULES = `${ruleText(250, 3)}-A -t [2001:db8::1]:80 -s sh -b sh-port -p 60 -M 64
-a -t [2001:db8::1]:80 -r [2001:db8::2]:80 -i --tun-type gue --tun-port 6080 --tun-csum -w 0 -x 20 -y 10
-A -f 7 -6 -s mh -b mh-fallback,mh-port
-A -u 10.0.0.1:5060 -o --pe sip -p
--set 900 0 300
-E -t 10.0.0.1:80 -s wlc
-Z
`;

/** How a program for another architecture is run: `qemu-aarch64-static`. */
const EMULATOR = process.env["LIGHT_EMULATOR"];
const PROGRAM =
  process.env["LIGHT_ENCODER"] ?? resolve("dist/light/encode-rules");

suite("encoding of 1,000 rules", () => {
  test("the light program sends the bytes that Node.js sends", async () => {
    let expected = "";
    const link = recordingLink((datagram) => {
      expected += hexLine(datagram);
    });
    const lines = RULES.trimEnd().split("\n");
    const node = await runIn({ stdin: [lines] }, (io) =>
      runClassic(["-R"], { ...io, openLink: () => link }),
    );
    assert.ok(expected.length > 100_000);
    const words = EMULATOR === undefined ? [PROGRAM] : [EMULATOR, PROGRAM];
    const light = run([...words, "-R"], { stdin: RULES });
    const [sent, wanted] = [light.stdout, expected].map((text) =>
      text.split("\n"),
    );
    assert.equal(sent?.length, wanted?.length);
    for (const [i, datagram] of (wanted ?? []).entries())
      assert.ok(sent?.[i] === datagram, `datagram ${i} is another`);
    assert.deepEqual([light.stderr, light.status], [node.stderr, node.status]);
  });
});
