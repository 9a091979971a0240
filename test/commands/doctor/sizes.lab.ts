import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { forgetConnections } from "../../traffic/forget-connections.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR, FAR_AWAY } from "../../traffic/places.js";
import { siteOf, type Site } from "../../traffic/site.js";
import {
  answered,
  carryOut,
  examined,
  proves,
  wordsOf,
  type Found,
} from "./case.js";
import { proverOf } from "./real-server-case.js";
import { startResident, type Resident } from "./resident.js";
import { NO_ANSWER, upload } from "./upload.js";

/** Sets the MTU of hosts' interfaces to a network, and of the ports of its switch where they are plugged in. */
function setMtu(
  site: Site,
  network: string,
  mtu: number,
  ...hosts: string[]
): void {
  for (const host of hosts) {
    setPort(site, network, mtu, host);
    site.network.sh(host, `ip link set dev ${network} mtu ${mtu}`);
  }
}

/** Sets the MTU of a port alone: what is larger is dropped there without a message. */
function setPort(site: Site, network: string, mtu: number, host: string): void {
  site.network.sh(
    DIRECTOR,
    `ip -n switch-${network} link set dev ${host} mtu ${mtu}`,
  );
}

/** Packets leave hosts as large as on a wire: the kernel passes larger ones between interfaces of this kind. */
function likeWires(site: Site, network: string, ...hosts: string[]): void {
  for (const host of hosts)
    site.network.sh(host, `ip link set ${network} gso_max_segs 1`);
}

/** The client, and the director, forget the sizes that they have learned. */
function forgetSizes(site: Site): void {
  for (const host of ["client", DIRECTOR])
    site.network.sh(
      host,
      "ip route flush cache; ip -6 route flush cache 2>/dev/null || true",
    );
}

/** Sees that small and large requests are answered, by every server of the service. */
async function worksLarge(site: Site, url: string, times = 1): Promise<void> {
  await answered(site, url);
  for (let i = 0; i < times; i++) assert.equal(upload(site, url, 60), "200");
}

/** Sees that one of so many large requests is not answered. */
function failsLarge(site: Site, url: string, times = 1): void {
  forgetSizes(site);
  const results = Array.from({ length: times }, () => upload(site, url, 5));
  assert.ok(
    results.some((result) => NO_ANSWER.test(result)),
    results.join(),
  );
}

/** What doctor says of sizes under Not checked. */
async function unknownSizes(words: string): Promise<string[]> {
  const { stdout } = await ours(["doctor", ...words.split(" "), "-o", "json"]);
  const { notChecked } = JSON.parse(stdout) as { notChecked: string[] };
  return notChecked.filter((text) => text.includes("carries"));
}

/** Sees that a probe finds nothing, and that no size is unknown. */
async function probesNothing(): Promise<void> {
  const { found, status } = await examined("all examined", "--probe");
  assert.deepEqual(found, []);
  assert.equal(status, 0);
  assert.deepEqual(await unknownSizes("--probe"), []);
}

suite("doctor finds a network that drops the packets of a tunnel", () => {
  const site = siteOf(FAR_AWAY, { real1: { http: [80] } });
  const url = "http://192.0.2.101/";
  const rules = `
    -A -t 192.0.2.101:80 -s rr
    -a -t 192.0.2.101:80 -r 198.51.100.11 -i`;

  /** All but the client have room for the tunnel's header. */
  const prepare = () => {
    site.network.sh(
      "real1",
      "ip link show tunnel >/dev/null 2>&1 || ip link add tunnel type ipip local 198.51.100.11 remote 192.0.2.1; ip link set tunnel up",
    );
    setMtu(site, "front", 1600, DIRECTOR, "router");
    setMtu(site, "far", 1600, "router", "real1");
    likeWires(site, "front", "client");
  };

  proves(site, {
    id: "path-too-small",
    name: "a switch on the way to the router of tunneled servers",
    subject: "198.51.100.11:80 of tcp/192.0.2.101:80",
    seen: /^packets of 1600 bytes do not get there, and no ICMP message says so; packets of 1500 bytes get there$/,
    evidence:
      /^the MTU of front is 1600; clients come in by front with MTU 1600, and the tunnel adds 20 bytes$/m,
    rules,
    prepare,
    works: () => worksLarge(site, url),
    fault: () => {
      setPort(site, "front", 1500, "router");
    },
    async fails() {
      await answered(site, url);
      failsLarge(site, url);
    },
    options: "--probe",
    afterFix: probesNothing,
    lastly() {
      site.network.sh(
        DIRECTOR,
        "ip route replace 198.51.100.0/24 via 192.0.2.2",
      );
      forgetSizes(site);
    },
  });

  test("doctor says that large packets are not checked without a probe, and speaks of no ICMP messages", async () => {
    await balance(rules);
    prepare();
    const text =
      "whether the network carries packets of 1600 bytes to 198.51.100.11 (ipvsadm doctor --probe tries it)";
    assert.deepEqual(await unknownSizes("--for 1s"), [text]);
    const { stdout } = await ours(
      "doctor --client 192.0.2.10 --for 1s -o json".split(" "),
    );
    const trace = JSON.parse(stdout) as {
      steps: { step: string; state: string; text: string }[];
      notChecked: string[];
    };
    assert.deepEqual(
      trace.steps.filter(({ step }) => step === "size"),
      [
        {
          step: "size",
          state: "ok",
          text: "packets of up to 1580 bytes fit into the tunnel to 198.51.100.11, so those of a client with the usual MTU of 1500 fit",
        },
      ],
    );
    assert.deepEqual(trace.notChecked, [text]);
  });

  test("doctor --probe finds nothing where a router says which size fits", async () => {
    await balance(rules);
    prepare();
    setMtu(site, "far", 1500, "router", "real1");
    try {
      await worksLarge(site, url);
      await probesNothing();
      const learned = site.network.sh(DIRECTOR, "ip route get 198.51.100.11");
      assert.match(learned, / mtu 1500/);
    } finally {
      forgetSizes(site);
    }
  });

  test("doctor --client says that a client repeats a large packet", async () => {
    await balance(rules);
    prepare();
    setPort(site, "front", 1500, "router");
    try {
      await answered(site, url);
      assert.match(
        await repeated(site, rules, url),
        /^198\.51\.100\.11:80 of tcp\/192\.0\.2\.101:80, all clients: \d+ packets in .*; each of them has 1500 bytes, as if a client repeats a large packet that gets lost/,
      );
    } finally {
      setPort(site, "front", 1600, "router");
    }
  });
});

/** Starts a large request that does not end. @returns a function that ends it */
function hangingUpload(site: Site, url: string): () => void {
  const program = `require("http").get("${url}", { headers: { filling: "x".repeat(8000) } }).on("error", () => {});`;
  const pid = site.network
    .sh(
      "client",
      `${process.execPath} -e '${program}' >/dev/null 2>&1 & echo $!`,
    )
    .trim();
  return () => void site.network.sh("client", `kill ${pid} || true`);
}

/** SYN, the end of the handshake, and 8000 bytes with their HTTP headers in packets of at most 1448 */
const PACKETS_OF_REQUEST = 2 + 6;

/** How many packets a server got: its column InPkts. */
function packetsIn(listing: string): number {
  const [, packets] = / +-> \S+ +\d+ +(\d+)/.exec(listing) ?? [];
  return Number(packets ?? 0);
}

/** What doctor says of the counters while a large request hangs. The time between repetitions doubles, so a slow machine needs longer. */
async function repeated(
  site: Site,
  rules: string,
  url: string,
): Promise<string> {
  let text = "";
  for (let seconds = 8; seconds <= 128; seconds *= 2) {
    await forgetConnections();
    await balance(rules);
    const end = hangingUpload(site, url);
    try {
      // The request is on its way, and its packets come again.
      await eventually(
        () => ipvsadm("-Ln --stats --exact"),
        (listing) => packetsIn(listing) > PACKETS_OF_REQUEST,
      );
      const { stdout } = await ours(
        `doctor --client 192.0.2.10 --for ${seconds}s -o json`.split(" "),
      );
      const { steps } = JSON.parse(stdout) as {
        steps: { step: string; text: string }[];
      };
      text = steps.find(({ step }) => step === "counters")?.text ?? text;
      if (text.includes("repeats")) break;
    } finally {
      end();
    }
  }
  return text;
}

suite("doctor finds a network that drops the packets of masquerading", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [80] },
    real2: { http: [80] },
  });
  let real1: Resident;
  before(() => {
    real1 = startResident("real1");
  });
  after(() => real1.stop());
  const url = "http://192.0.2.100/";
  const one = `
    -A -t 192.0.2.100:80 -s rr
    -a -t 192.0.2.100:80 -r 198.51.100.11 -m`;
  const two = `${one}
    -a -t 192.0.2.100:80 -r 198.51.100.12 -m`;
  const one6 = `
    -A -t [2001:db8:1::100]:80 -s rr
    -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:80 -m`;
  const url6 = "http://[2001:db8:1::100]/";

  /** Lets the director send smaller packets, and then each server that doctor names, as it is told there. */
  const repair = async (finding: Found) => {
    carryOut(site, finding, {});
    assert.ok(finding.next.length > 0);
    for (const { command, on } of finding.next) {
      assert.match(on ?? "", /^real server (198\.51\.100\.11|2001:db8:2::11)$/);
      const { stdout, stderr } = await real1.run([
        ...wordsOf(command).slice(1),
        "-o",
        "json",
      ]);
      assert.equal(stderr, "");
      const { findings } = JSON.parse(stdout) as { findings: readonly Found[] };
      assert.deepEqual(
        findings.map(({ id }) => id),
        ["path-back-too-small"],
      );
      for (const { fix } of findings)
        for (const one of fix) site.network.sh("real1", one.command);
    }
  };

  /** @param clients the MTU of the network of clients */
  const jumbo = (clients = 9000) => {
    setMtu(site, "front", clients, "client", DIRECTOR);
    setMtu(site, "back", 9000, DIRECTOR, "real1", "real2");
    likeWires(site, "front", "client");
    for (const host of [DIRECTOR, "real1", "real2"])
      likeWires(site, "back", host);
    forgetSizes(site);
  };
  const narrow = (...hosts: string[]) => {
    for (const host of hosts) setPort(site, "back", 1500, host);
  };

  proves(site, {
    id: "path-too-small",
    name: "a switch before a masqueraded server",
    subject: "198.51.100.11:80 of tcp/192.0.2.100:80",
    rules: one,
    prepare: jumbo,
    works: () => worksLarge(site, url),
    fault: () => {
      narrow("real1");
    },
    fails: () => {
      failsLarge(site, url);
      return Promise.resolve();
    },
    options: "--probe",
    repair,
    afterFix: probesNothing,
    lastly: jumbo,
  });

  proves(site, {
    id: "path-too-small",
    name: "a port of a switch before one of two servers",
    subject: "198.51.100.11:80 of tcp/192.0.2.100:80",
    evidence: /^packets of 9000 bytes get to 198\.51\.100\.12 by back$/m,
    rules: two,
    prepare: jumbo,
    works: () => worksLarge(site, url, 2),
    fault: () => {
      narrow("real1");
    },
    fails: () => {
      failsLarge(site, url, 2);
      return Promise.resolve();
    },
    options: "--probe",
    repair,
    afterFix: probesNothing,
    lastly() {
      site.network.sh(
        DIRECTOR,
        "ip route del 198.51.100.11/32 dev back 2>/dev/null || true",
      );
      jumbo();
    },
  });

  proves(site, {
    id: "path-too-small",
    name: "IPv6",
    subject: "[2001:db8:2::11]:80 of tcp/[2001:db8:1::100]:80",
    seen: /^packets of 9000 bytes .*; packets of 1500 bytes get there$/,
    rules: one6,
    prepare: jumbo,
    works: () => worksLarge(site, url6),
    fault: () => {
      narrow("real1");
    },
    fails: () => {
      failsLarge(site, url6);
      return Promise.resolve();
    },
    options: "--probe",
    repair,
    afterFix: probesNothing,
    lastly: jumbo,
  });

  /** A large request of the director itself, such as a health check. */
  const checksLarge = (seconds: number) =>
    upload(site, "http://198.51.100.11/", seconds, DIRECTOR);

  proves(site, {
    id: "path-below-mtu",
    subject: "198.51.100.11:80 of tcp/192.0.2.100:80",
    evidence:
      /^the largest packets of clients are smaller on this way, and get there$/m,
    rules: one,
    prepare: () => {
      jumbo(1500);
    },
    async works() {
      await worksLarge(site, url);
      assert.equal(checksLarge(60), "200");
    },
    fault: () => {
      narrow("real1");
    },
    async fails() {
      await worksLarge(site, url);
      assert.match(checksLarge(5), NO_ANSWER);
    },
    options: "--probe",
    afterFix: probesNothing,
    lastly: jumbo,
  });

  test("doctor --probe finds nothing where all carry packets of 9000 bytes", async () => {
    for (const rules of [two, one6]) {
      await balance(rules);
      jumbo();
      await worksLarge(site, rules === one6 ? url6 : url);
      await probesNothing();
    }
  });

  test(
    "doctor --probe finds nothing behind a firewall that drops datagrams, and says so",
    { skip: without("iptables-legacy", "iptables") },
    async () => {
      await balance(one);
      jumbo();
      await answered(site, url);
      narrow("real1");
      site.network.sh("real1", "iptables-legacy -A INPUT -p udp -j DROP");
      try {
        const { found } = await examined("all examined", "--probe");
        assert.deepEqual(found, []);
        assert.deepEqual(await unknownSizes("--probe"), [
          "whether the network carries packets of 9000 bytes to 198.51.100.11 (datagrams to a closed UDP port there are not answered; a firewall perhaps drops them, or the answers)",
        ]);
      } finally {
        site.network.sh("real1", "iptables-legacy -F");
        jumbo();
      }
    },
  );

  proverOf(site)({
    id: "path-back-too-small",
    severity: "warning",
    subject: "198.51.100.1",
    rules: one,
    words:
      "--real-server 192.0.2.100:80 --method masq --director 198.51.100.1 --server 198.51.100.11:80 --client 192.0.2.10 --probe",
    works: () => answered(site, url),
    healthy() {
      jumbo();
      return Promise.resolve();
    },
    // Answers are larger than requests.
    fault: () => {
      narrow(DIRECTOR);
      return Promise.resolve();
    },
    async fails() {
      const replies = await site.client.get(url, { patienceSeconds: 5 });
      assert.ok(!replies.some((reply) => "server" in reply));
    },
    lastly: jumbo,
  });
});
