import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { writeFileSync, mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { sh } from "../lab/namespaces.js";
import { ours } from "../lab/program.js";
import { Original } from "./original.js";

// Run as `live.js ORIGINAL`: compares listings of the same table, with names and after traffic.
const [, , root = ""] = process.argv;

const VIP = "10.9.0.1";
const VIP6 = "2001:db8::1";
const LARGE = 60_000;

const HOSTS = `127.0.0.1 localhost
10.9.0.1 a-very-long-host-name-for-this-service.example.net short
10.1.1.9 real-server-with-a-long-name.example.org
10.1.1.8 rs8 rs8.example.org
10.1.1.7 abcdefghijklmnopqrstuvwxyz
10.1.1.6 abcdefghijklmnopqrstuvw
2001:db8::8 six.example.org-with-a-long-long-long-name-for-six
2001:db8::1 six
`;

suite("our listings are the same as the original's", () => {
  let original: Original;

  before(async () => {
    const hosts = join(mkdtempSync(join(tmpdir(), "hosts.")), "hosts");
    writeFileSync(hosts, HOSTS);
    sh(
      `mount --bind ${hosts} /etc/hosts; ip address replace ${VIP}/32 dev lo; ip address replace ${VIP6}/128 dev lo`,
    );
    original = new Original(root);
    await ours(["-C"]);
  });
  after(async () => {
    await ours(["-C"]);
    original.close();
    sh(
      `umount /etc/hosts; ip address del ${VIP}/32 dev lo; ip address del ${VIP6}/128 dev lo`,
    );
  });

  /** Runs a classic command that must succeed. */
  async function run(line: string): Promise<void> {
    const { status, stderr } = await ours(line.split(" "));
    assert.equal(status, 0, `${line}: ${stderr}`);
  }

  async function same(line: string): Promise<string> {
    const words = line.split(" ");
    // Expiry and counters change while the two programs run, so try again.
    for (let attempt = 0; ; attempt++) {
      const theirs = await original.run(words);
      const mine = await ours(words);
      if (attempt < 100 && mine.stdout !== theirs.stdout) continue;
      assert.deepEqual(mine, theirs, line);
      return theirs.stdout;
    }
  }

  test("names of hosts and services, truncated where they are long", async () => {
    await run(`-A -t ${VIP}:80 -s rr`);
    for (const server of [
      "10.1.1.9",
      "10.1.1.9:8888",
      "10.1.1.8",
      "10.1.1.8:44444",
      "10.1.1.7:8080",
      "10.1.1.6:443",
      "10.1.1.6:65535",
    ])
      await run(`-a -t ${VIP}:80 -r ${server} -m`);
    await run(`-a -t ${VIP}:80 -r 2001:db8::8 -i`);
    await run(`-A -t [2001:db8::8]:80`);
    await run(`-A -u 10.1.1.7:3128`);
    await run("-A --sctp-service 10.1.1.6:5060");
    for (const format of [
      "",
      " --stats",
      " --rate",
      " --thresholds",
      " --persistent-conn",
      " --tun-info",
    ]) {
      const listing = await same(`-L${format}`);
      assert.match(listing, /a-very-long-host-name-for-th/);
      await same(`-Ln${format}`);
      await same(`-L -t short:80${format}`);
    }
    assert.match(await same("-S"), /a-very-long-host-name-for-this-service/);
    await run("-C");
  });

  test("connections of TCP, UDP, IPv6, persistence and the persistence engine", async () => {
    await run(`-A -t ${VIP}:80 -s rr -p 900`);
    await run(`-a -t ${VIP}:80 -r 127.0.0.1:8080 -m`);
    await run(`-A -t [${VIP6}]:80 -s rr`);
    await run(`-a -t [${VIP6}]:80 -r [::1]:8080 -m`);
    await run(`-A -u ${VIP}:5060 -s rr --pe sip -p 900`);
    await run(`-a -u ${VIP}:5060 -r 127.0.0.1:5353 -m`);
    // The connections are silent.
    const forEver = { headersTimeout: 0, requestTimeout: 0 };
    const server = createServer(forEver, (_, response) =>
      response.end("hello"),
    );
    await new Promise<void>((resolve) => server.listen(8080, "::", resolve));
    const held = [VIP, VIP6].map((host) => connect(80, host));
    await Promise.all(
      held.map(
        (socket) => new Promise((resolve) => socket.once("connect", resolve)),
      ),
    );
    const socket = createSocket("udp4");
    await send(
      socket,
      "REGISTER sip:example.com SIP/2.0\r\nCall-ID: abc@def\r\nCSeq: 1 REGISTER\r\n\r\n",
      5060,
    );
    assert.match(await same("-Lnc"), /ESTABLISHED/);
    assert.match(await same("-Lnc --persistent-conn"), /sip +abc@def/);
    assert.match(await same("-Lc"), /short|a-very-long-host-name-for-this/);
    await same("-Lc --persistent-conn");
    await same("-Ln");
    await same("-Ln --persistent-conn");
    for (const connection of held) connection.destroy();
    socket.close();
    server.close();
    await run("-C");
  });

  test("large counters, short and exact", { timeout: 1_500_000 }, async () => {
    await run(`-A -u ${VIP}:9 -s rr`);
    await run(`-a -u ${VIP}:9 -r 127.0.0.1:9 -m`);
    const socket = createSocket("udp4");
    const datagram = Buffer.alloc(LARGE);
    let bytes = 0n;
    // Just above each limit at which the original uses the next unit.
    for (const limit of [100_000_000n, 1_000_000_000n, 10_000_000_000n]) {
      while (bytes < limit) {
        await Promise.all(
          Array.from({ length: 50 }, () => send(socket, datagram, 9)),
        );
        bytes += BigInt(50 * LARGE);
      }
      await settled(bytes);
      for (const format of [
        "--stats",
        "--stats --exact",
        "--rate",
        "--rate --exact",
      ])
        await same(`-Ln ${format}`);
      assert.match(await same("-Ln --stats"), /[0-9][KM] /);
    }
    socket.close();
    await run("-C");
  });

  function send(
    socket: ReturnType<typeof createSocket>,
    data: string | Uint8Array,
    port: number,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      socket.send(data, port, VIP, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  /** Waits for the kernel, which updates its counters every two seconds. */
  async function settled(bytes: bigint): Promise<void> {
    for (;;) {
      const { stdout } = await ours(["-Ln", "--stats", "--exact"]);
      const [, count = "0"] =
        /UDP +\S+ +\d+ +\d+ +\d+ +(\d+)/.exec(stdout) ?? [];
      if (BigInt(count) >= bytes) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
});
