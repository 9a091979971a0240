import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { DIRECTOR } from "../../lab/network.js";
import { balance } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
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
import {
  setMtu,
  setPort,
  likeWires,
  forgetSizes,
  worksLarge,
  failsLarge,
  unknownSizes,
  probesNothing,
} from "./sizes.js";

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
