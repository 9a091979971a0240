import assert from "node:assert/strict";
import { test } from "node:test";
import { subcommand } from "../run-subcommand.js";

test("setup -o networkd prints one .network file for each interface, because only the first one applies", async () => {
  const { stdout, stderr } = await subcommand(
    "setup - --for 10.0.0.11 -o networkd",
    {
      stdin: [
        ["-A -t 192.0.2.1:80", "-a -t 192.0.2.1:80 -r 10.0.0.11:80 -i", ""],
      ],
    },
  );
  assert.equal(stderr, "");
  assert.equal(
    stdout,
    `# on the real server 10.0.0.11
# /etc/systemd/network/50-ipvs-ipip.netdev
[NetDev]
Name=ipvs-ipip
Kind=ipip

[Tunnel]
Local=10.0.0.11
Remote=any
Independent=yes
# /etc/systemd/network/50-ipvs-ipip.network
[Match]
Name=ipvs-ipip

[Network]
LinkLocalAddressing=no

[Address]
Address=192.0.2.1/32
`,
  );
});

for (const format of ["shell", "sysctl"])
  test(`setup -o ${format} writes the dot in the name of a VLAN's interface as a slash`, async () => {
    const { stdout } = await subcommand(
      `setup - --for director --director 10.0.0.10 --interface eth0.100 -o ${format}`,
      {
        stdin: [
          ["-A -t 192.0.2.1:80", "-a -t 192.0.2.1:80 -r 10.0.0.11:80 -m", ""],
        ],
      },
    );
    assert.match(stdout, /net\.ipv4\.conf\.eth0\/100\.send_redirects ?= ?0\n/);
  });
