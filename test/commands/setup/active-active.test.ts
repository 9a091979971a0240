import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { subcommand } from "../run-subcommand.js";

const DIRECT = [
  "-A -t 203.0.113.100:80 -s rr",
  "-a -t 203.0.113.100:80 -r 203.0.113.1 -g",
  "-a -t 203.0.113.100:80 -r 203.0.113.2 -g",
  "",
];
const setup = (options: string, rules: readonly string[] = DIRECT) =>
  subcommand(
    `setup - --active-active --director 203.0.113.1 --backup 203.0.113.2 ${options}`,
    { stdin: [rules] },
  );

suite("setup --active-active", () => {
  test("marks all packets but those of the other director, whose MAC address the commands look up", async () => {
    const { stdout, stderr } = await setup("--for backup");
    assert.equal(stderr, "");
    assert.match(stdout, /mac0=\$\(ip neigh show 203\.0\.113\.1 dev eth0 /);
    assert.ok(
      stdout.includes(`iptables -t mangle -N ipvs-marks
iptables -t mangle -A ipvs-marks -m mac --mac-source "$mac0" -j RETURN
iptables -t mangle -A ipvs-marks -d 203.0.113.100/32 -p tcp --dport 80 -j MARK --set-mark 1
if [ -n "$mac0" ]; then iptables -t mangle -A PREROUTING -i eth0 -j ipvs-marks; else `),
      stdout,
    );
    assert.ok(
      stdout.endsWith(`ipvsadm -R <<'END'
-A -f 1 -s rr
-a -f 1 -r 203.0.113.1:0 -g -w 1
-a -f 1 -r 203.0.113.2:0 -g -w 1
END
`),
      stdout,
    );
    assert.doesNotMatch(stdout, /-daemon|backup_only=/);
  });

  test("uses the MAC addresses that are given", async () => {
    const mac =
      "--mac 203.0.113.2=02:00:00:00:00:0A,203.0.113.1=02:00:00:00:00:01";
    const { stdout } = await setup(`--for director ${mac}`);
    assert.match(stdout, /--mac-source 02:00:00:00:00:0a -j RETURN\n/);
    assert.doesNotMatch(stdout, /ip neigh/);
  });

  const BOTH = [
    ...DIRECT.slice(0, -1),
    "-A -t [2001:db8::100]:80 -s rr",
    "-a -t [2001:db8::100]:80 -r [2001:db8::1]:80 -g",
    "-a -t [2001:db8::100]:80 -r [2001:db8::2]:80 -g",
    "",
  ];
  const both = (options: string) =>
    subcommand(
      `setup - --active-active --director 203.0.113.1,2001:db8::1 --backup 203.0.113.2,2001:db8::2 --for director ${options}`,
      { stdin: [BOTH] },
    );

  test("looks up the MAC address of the other director for each family", async () => {
    const { stdout } = await both("-o shell");
    const lines = stdout.split("\n");
    for (const [program, variable, peer] of [
      ["iptables", "mac0", "203.0.113.2"],
      ["ip6tables", "mac1", "2001:db8::2"],
    ] as const) {
      const lookup = `  ${variable}=$(ip neigh show ${peer} dev eth0 | `;
      const exempt = `${program} -t mangle -A ipvs-marks -m mac --mac-source "$${variable}" -j RETURN`;
      const looked = lines.findIndex((line) => line.startsWith(lookup));
      assert.notEqual(looked, -1, stdout);
      assert.ok(lines.indexOf(exempt) > looked, stdout);
      assert.ok(
        lines.some((line) =>
          line.startsWith(
            `if [ -n "$${variable}" ]; then ${program} -t mangle -A PREROUTING `,
          ),
        ),
        stdout,
      );
    }
  });

  test("uses a MAC address for each family, or one for both", async () => {
    const rules = (text: string) =>
      Array.from(
        text.matchAll(/^(ip6?tables) .*--mac-source (\S+) /gm),
        ([, program = "", mac = ""]) => `${program} ${mac}`,
      );
    const two = await both(
      "--mac 203.0.113.2=02:00:00:00:00:04,2001:db8::2=02:00:00:00:00:06",
    );
    assert.deepEqual(rules(two.stdout), [
      "iptables 02:00:00:00:00:04",
      "ip6tables 02:00:00:00:00:06",
    ]);
    for (const name of ["203.0.113.2", "2001:db8::2"]) {
      const one = await both(`--mac ${name}=02:00:00:00:00:0a`);
      assert.deepEqual(rules(one.stdout), [
        "iptables 02:00:00:00:00:0a",
        "ip6tables 02:00:00:00:00:0a",
      ]);
    }
    const nft = await both(
      "-o nft --mac 203.0.113.2=02:00:00:00:00:04,2001:db8::2=02:00:00:00:00:06",
    );
    assert.match(nft.stdout, /ether saddr != 02:00:00:00:00:04 ip daddr/);
    assert.match(nft.stdout, /ether saddr != 02:00:00:00:00:06 ip6 daddr/);
  });

  test("an undo needs no MAC address", async () => {
    for (const [format, line] of [
      ["shell", "iptables -t mangle -X ipvs-marks"],
      ["iptables", "iptables -t mangle -X ipvs-marks"],
      ["nft", "nft delete table ip ipvs"],
    ] as const) {
      const { stdout, stderr } = await setup(
        `--for director --undo -o ${format}`,
      );
      assert.equal(stderr, "");
      assert.ok(stdout.split("\n").includes(line), stdout);
    }
  });

  test("looks up no MAC address for tunnels, whose packets come from another interface", async () => {
    const rules = DIRECT.map((line) => line.replace("-g", "-i"));
    const { stdout } = await setup("--for director", rules);
    assert.doesNotMatch(stdout, /mac0/);
    assert.match(stdout, /PREROUTING -i eth0 -j ipvs-marks\n/);
  });

  test("leaves out marks that are taken, and keeps the ports of masqueraded servers", async () => {
    const { stdout } = await setup(
      "--for director --mark 2=tcp/203.0.113.103:80",
      [
        "-A -f 1",
        "-A -t 203.0.113.101:0 -p 60 -s rr",
        "-a -t 203.0.113.101:0 -r 203.0.113.2:0 -g",
        "-A -t 203.0.113.102:80 -s rr",
        "-a -t 203.0.113.102:80 -r 203.0.113.2:8080 -m",
        "",
      ],
    );
    assert.match(stdout, /-A -f 3 -s rr -p 60\n/);
    assert.match(stdout, /-a -f 4 -r 203\.0\.113\.2:8080 -m /);
    // The last rule that matches counts, so the service for all ports comes first.
    const marks = Array.from(
      stdout.matchAll(/--set-mark (\d)/g),
      ([, mark]) => mark,
    );
    assert.deepEqual(marks, ["3", "2", "4"]);
  });

  test("a table whose directors are no servers keeps its services", async () => {
    const rules = DIRECT.map((line) =>
      line.replace(/113\.[12] -g/, "113.9 -g"),
    );
    const { stdout } = await setup("--for director", rules.slice(0, 2));
    assert.match(stdout, /-A -t 203\.0\.113\.100:80 -s rr\n/);
    assert.doesNotMatch(stdout, /iptables/);
  });

  for (const format of ["iptables", "nft"])
    test(`-o ${format} needs the MAC address`, async () => {
      const { stdout, stderr, status } = await setup(
        `--for director -o ${format}`,
      );
      assert.equal(stdout, "");
      assert.equal(
        stderr,
        "ipvsadm: a file needs the MAC address of the other director, 203.0.113.2: give it with --mac 203.0.113.2=ADDRESS\n",
      );
      assert.equal(status, 2);
    });

  for (const mac of [
    "1",
    "203.0.113.2=02:00",
    "x=02:00:00:00:00:01",
    "203.0.113.2=02:00:00:00:00:01;id",
  ])
    test(`refuses --mac ${mac}`, async () => {
      const { stdout, stderr, status } = await setup(`--mac ${mac}`);
      assert.equal(stdout, "");
      assert.match(stderr, /write ADDRESS=MAC, such as/);
      assert.equal(status, 2);
    });

  test("needs the addresses of both directors", async () => {
    for (const options of ["--director 203.0.113.1", "--backup 203.0.113.2"]) {
      const { stderr, status } = await subcommand(
        `setup - --active-active ${options}`,
        { stdin: [DIRECT] },
      );
      assert.match(
        stderr,
        /--active-active needs the address of each director/,
      );
      assert.equal(status, 2);
    }
  });
});

suite("setup for a backup director that is a real server", () => {
  test("gives it the hidden virtual address, too", async () => {
    const { stdout } = await subcommand(
      "setup - --director 203.0.113.1 --backup 203.0.113.2 --for 203.0.113.2",
      { stdin: [DIRECT] },
    );
    assert.match(stdout, /arp_ignore=1\n/);
    assert.match(stdout, /ip address add 203\.0\.113\.100\/32 dev lo\n/);
  });

  test("without a second director, the director's own share needs nothing", async () => {
    const { stdout } = await subcommand(
      "setup - --director 203.0.113.1 --for 203.0.113.1",
      { stdin: [DIRECT] },
    );
    assert.match(stdout, /\n# nothing to do\n$/);
  });

  test("warns of masquerading between directors", async () => {
    const { stdout } = await subcommand(
      "setup - --director 203.0.113.1 --backup 203.0.113.2 --for 203.0.113.2",
      { stdin: [DIRECT.map((line) => line.replace("-g", "-m"))] },
    );
    assert.match(stdout, /^# The other director masquerades/m);
  });
});
