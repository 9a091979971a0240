import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { suite, test } from "node:test";
import { subcommand } from "../run-subcommand.js";

/*
 * The lab's kernel has no tables of nftables. So this machine's kernel checks the files, in a network namespace of its own.
 * There a DNAT takes the place of IPVS: both rewrite the destination, and leave the original one in conntrack.
 */

/** Runs a script with network and mounts of its own. */
function isolated(words: readonly string[], input: string) {
  return spawnSync(
    "unshare",
    ["--map-root-user", "--net", "--mount", ...words],
    { input, encoding: "latin1" },
  );
}

const refusal = (() => {
  const { status, stderr, error } = isolated(
    ["nft", "--check", "--file", "-"],
    "table ip one {\n}\n",
  );
  return status === 0
    ? false
    : `this machine cannot check nftables: ${error?.message ?? stderr.trim()}`;
})();

async function nftFile(rules: string, options: string): Promise<string> {
  const { stdout, stderr, status } = await subcommand(
    `setup - --for director -o nft ${options}`,
    { stdin: [rules.split("\n")] },
  );
  assert.deepEqual([stderr, status], ["", 0]);
  return stdout;
}

const DIRECTORS = "--director 203.0.113.1 --backup 203.0.113.2";
const MAC = "--active-active --mac 203.0.113.2=02:00:00:00:00:02";
const FULL_NAT = `-A -t 203.0.113.101:80 -s rr
-a -t 203.0.113.101:80 -r 203.0.113.11:80 -m
`;

suite("setup -o nft", { skip: refusal }, () => {
  for (const [name, rules, options] of [
    ["SNAT", FULL_NAT, "--full-nat --director 203.0.113.1"],
    [
      "SNAT for all ports, UDP",
      "-A -u 203.0.113.101:0 -p\n-a -u 203.0.113.101:0 -r 203.0.113.11:0 -m\n",
      "--full-nat --director 203.0.113.1",
    ],
    [
      "SNAT with IPv6 and SCTP",
      "-A --sctp-service [2001:db8::101]:80\n-a --sctp-service [2001:db8::101]:80 -r [2001:db8::11]:80 -m\n",
      "--full-nat --director 2001:db8::1",
    ],
    [
      "marks",
      "-A -f 7\n-a -f 7 -r 203.0.113.11 -g\n-A -f 7 -6\n-a -f 7 -6 -r [2001:db8::11]:0 -g\n",
      "--mark 7=tcp/203.0.113.101:80,7=udp/203.0.113.101:0,7=tcp/[2001:db8::101]:443",
    ],
    [
      "marks of two directors",
      "-A -t 203.0.113.101:80\n-a -t 203.0.113.101:80 -r 203.0.113.2 -g\n",
      `${DIRECTORS} ${MAC}`,
    ],
  ] as const)
    test(`setup -o nft: the kernel accepts the file: ${name}`, async () => {
      const text = await nftFile(rules, options);
      // Twice, because a file can be loaded again.
      const { stderr, status } = isolated(
        [
          "sh",
          "-ec",
          "cat >/dev/shm/nft; nft -f /dev/shm/nft; nft -f /dev/shm/nft; nft list ruleset | grep -c -e snat -e mark; rm /dev/shm/nft",
        ].map((word) =>
          word.replaceAll("/dev/shm/nft", `/dev/shm/nft.${process.pid}`),
        ),
        text,
      );
      assert.deepEqual([stderr, status], ["", 0]);
    });

  test("setup -o nft: SNAT applies to a connection by its original destination, and the mark is set", async () => {
    const snat = await nftFile(FULL_NAT, "--full-nat --director 203.0.113.1");
    const marks = await nftFile(
      "-A -f 7\n-a -f 7 -r 203.0.113.11 -g\n",
      "--mark 7=tcp/203.0.113.101:80",
    );
    // The second file would replace the table of the first one.
    const rules = snat + marks.replaceAll(" ipvs", " marks");
    const { stdout, stderr, status } = isolated(
      [
        "bash",
        "-ec",
        `mount -t tmpfs tmpfs /run; mkdir /run/netns
         ip link set lo up
         ip link add name lan type bridge; ip link set dev lan up
         ip address add 203.0.113.1/24 dev lan; ip address add 203.0.113.101/32 dev lan
         for host in client:10 server:11; do
           name=\${host%:*}
           ip netns add $name
           ip link add name $name master lan type veth peer name lan netns $name
           ip link set dev $name up; ip -n $name link set dev lan up
           ip -n $name address add 203.0.113.\${host#*:}/24 dev lan
         done
         echo 1 >/proc/sys/net/ipv4/ip_forward
         nft -f -
         nft add table ip balance
         nft 'add chain ip balance pre { type nat hook prerouting priority dstnat; }'
         nft add rule ip balance pre ip daddr 203.0.113.101 tcp dport 80 dnat to 203.0.113.11
         nft 'add chain ip balance marked { type filter hook forward priority 0; }'
         nft add rule ip balance marked meta mark 7 counter
         # The file must exist before grep reads it: the shell opens it only once the server's process runs.
         : >/run/server
         ip netns exec server ${process.execPath} -e '
           const server = require("node:net").createServer((socket) => {
             socket.end(socket.remoteAddress + "\\n"); server.close();
           }).listen(80, "0.0.0.0", () => console.log("ready"));' >/run/server &
         until grep -q ready /run/server; do sleep 0.1; done
         ip netns exec client bash -c 'timeout 60 cat </dev/tcp/203.0.113.101/80'
         nft list table ip balance | grep -o 'counter packets [1-9]' | sed 's/ [0-9]*$//'`,
      ],
      rules,
    );
    assert.deepEqual(
      { stdout, stderr, status },
      { stdout: "203.0.113.1\ncounter packets\n", stderr: "", status: 0 },
    );
  });
});
