import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { forgetConnections } from "../../traffic/forget-connections.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import { FAR_AWAY } from "../../traffic/places.js";
import { siteOf, type Site } from "../../traffic/site.js";
import { answered, proves } from "./case.js";
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
