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

test("setup -o networkd leaves GUE ports and the checksums of GRE to a service", async () => {
  const printed = async (options: string) => {
    const { stdout } = await subcommand(
      `setup - --for 10.0.0.11 -o networkd${options}`,
      {
        stdin: [
          [
            "-A -t 192.0.2.1:80",
            "-a -t 192.0.2.1:80 -r 10.0.0.11:80 -i --tun-type gre --tun-csum",
            "-A -t 192.0.2.2:80",
            "-a -t 192.0.2.2:80 -r 10.0.0.11:80 -i --tun-type gue --tun-port 6080",
            "",
          ],
        ],
      },
    );
    return stdout;
  };
  const files = await printed("");
  assert.match(
    files,
    /^ExecStart=ip fou add port 6080 gue\nExecStart=ip link add name ipvs-gre type gre local 10\.0\.0\.11 icsum\n/m,
  );
  assert.match(files, /^# \/etc\/systemd\/network\/50-ipvs-ipip\.netdev$/m);
  assert.doesNotMatch(files, /50-ipvs-gre\.netdev|Kind=(fou|gre)/);
  const undo = await printed(" --undo");
  assert.match(undo, /^systemctl disable --now ipvs-tunnels\.service$/m);
  assert.match(undo, /^ip link del dev ipvs-ipip$/m);
});

test("setup keeps the default route that it replaces, of each family, and only once", async () => {
  const printed = async (options: string) => {
    const { stdout } = await subcommand(
      `setup - --for 2001:db8::11 --director 2001:db8::1${options}`,
      {
        stdin: [
          [
            "-A -t [2001:db8:1::1]:80",
            "-a -t [2001:db8:1::1]:80 -r [2001:db8::11]:80 -m",
            "",
          ],
        ],
      },
    );
    return stdout.split("\n").slice(2);
  };
  const file = "/run/ipvsadm-setup-default-route-6";
  assert.deepEqual(await printed(""), [
    `[ -e ${file} ] || ip -6 route save default >${file}`,
    "ip route replace default via 2001:db8::1",
    "",
  ]);
  assert.deepEqual(await printed(" --undo"), [
    `ip route del default via 2001:db8::1; [ ! -e ${file} ] || { ip -6 route restore <${file}; rm ${file}; }`,
    "",
  ]);
});
