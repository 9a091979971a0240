import assert from "node:assert/strict";
import { test } from "node:test";
import { subcommand } from "../run-subcommand.js";

for (const [program, configuration, rules] of [
  [
    "keepalived",
    "virtual_server 192.0.2.1 80 {\n  protocol TCP\n  lvs_method DR\n  real_server 10.0.0.11 80 {\n    TCP_CHECK {\n    }\n  }\n}\n",
    "-A -t 192.0.2.1:80 -s wlc\n-a -t 192.0.2.1:80 -r 10.0.0.11:80 -g -w 1\n",
  ],
  [
    "ldirectord",
    "virtual=192.0.2.1:80\n\treal=10.0.0.11:80 gate 2\n",
    "-A -t 192.0.2.1:80 -s wrr\n-a -t 192.0.2.1:80 -r 10.0.0.11:80 -g -w 2\n",
  ],
] as const)
  test(`setup reads the configuration of ${program}`, async () => {
    const { stdout, stderr, status } = await subcommand(
      "setup - --for director",
      { stdin: [configuration.split("\n")] },
    );
    assert.equal(stderr, "");
    assert.equal(
      stdout,
      `# on the director\nmodprobe ip_vs\nip address add 192.0.2.1/32 dev eth0\nipvsadm -R <<'END'\n${rules}END\n`,
    );
    assert.equal(status, 0);
  });
