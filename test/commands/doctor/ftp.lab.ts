import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, suite } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../../lab/eventually.js";
import { DIRECTOR, type NetworkPlan } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { startServerProgram, type Server } from "../../lab/server.js";
import { forgetConnections } from "../../traffic/forget-connections.js";
import { balance } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR, ONE_NETWORK } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { proves } from "./case.js";

const FTP_SERVER = fileURLToPath(
  new URL("../../traffic/ftp-server.js", import.meta.url),
);

/** The modules are the whole machine's. */
const skip =
  process.env["LAB_KERNEL"] !== "uml"
    ? "only a guest of our own may lose its modules"
    : without("curl", "curl") || without("iptables-legacy", "iptables");

/** A site with FTP servers on real1 and real2, and what its client does. */
function ftpSite(plan: NetworkPlan, client: string) {
  const site = siteOf(plan, {});
  const servers: Server[] = [];
  before(async () => {
    for (const host of ["real1", "real2"]) {
      const words = [process.execPath, FTP_SERVER, host, 21];
      servers.push(await startServerProgram(host, "FTP server", words));
    }
  });
  after(async () => {
    for (const server of servers) await server.stop();
  });
  /** The modes of data connections, as options of curl. The client goes where the server says. */
  const passive = ["--disable-epsv --no-ftp-skip-pasv-ip", ""];
  const active = [
    `--ftp-port ${client} --disable-eprt`,
    `--ftp-port ${client}`,
  ];
  /** Fetches a file. @returns what curl prints, with the answers to its commands */
  const fetch = (mode: string, url: string, seconds: number) =>
    site.network.sh(
      "client",
      `curl -sSv --max-time ${seconds} ${mode} ${url} 2>&1 || echo "curl failed: $?"`,
    );
  return {
    site,
    /** Sees that a client gets files, in all modes. */
    works: (url: string): Promise<void> => {
      for (const mode of [...passive, ...active]) {
        const text = fetch(mode, url, 60);
        assert.match(text, /^real[12]$/m, text);
      }
      return Promise.resolve();
    },
    /** Sees that a client logs in and gets no file. */
    fails: (url: string): Promise<void> => {
      for (const mode of passive) {
        const text = fetch(mode, url, 20);
        assert.match(text, /^< 230 logged in/m, text);
        assert.match(text, /^curl failed: [1-9]/m, text);
      }
      return Promise.resolve();
    },
  };
}

suite("doctor finds that ip_vs_ftp is missing", { skip }, () => {
  const CLIENT = "192.0.2.10";
  const { site, works, fails } = ftpSite(BEHIND_DIRECTOR, CLIENT);
  const director = (command: string) => site.network.sh(DIRECTOR, command);
  const rulesAt = (port: number) => `
    -A -t 192.0.2.100:${port} -s rr
    -a -t 192.0.2.100:${port} -r 198.51.100.11:21 -m
    -a -t 192.0.2.100:${port} -r 198.51.100.12:21 -m`;

  /** Loads ip_vs_ftp in another way, or not at all. */
  async function load(options: string | undefined, rules: string) {
    // The connections of a client use the module.
    await forgetConnections();
    director(
      "if grep -q '^ip_vs_ftp ' /proc/modules; then rmmod ip_vs_ftp; fi",
    );
    if (options !== undefined) director(`modprobe ip_vs_ftp ${options}`);
    await balance(rules);
  }

  const removeFiles = () =>
    void director(
      "rm -f /etc/modules-load.d/ip_vs_ftp.conf /etc/modprobe.d/ip_vs_ftp.conf",
    );

  const URL = "ftp://192.0.2.100/file";
  proves(site, {
    id: "ftp-helper-missing",
    subject: "tcp/192.0.2.100:21",
    seen: /^the module ip_vs_ftp is not loaded, and its servers are masqueraded: /,
    rules: rulesAt(21),
    prepare: () => load("", rulesAt(21)),
    works: () => works(URL),
    fault: () => load(undefined, rulesAt(21)),
    async fails() {
      await fails(URL);
      assert.match(
        await followed(),
        / unknown ftp tcp\/192\.0\.2\.100:21: if it is for FTP, the client can log in and gets no file: the module ip_vs_ftp is not loaded\. /,
      );
    },
    lastly: removeFiles,
  });

  /** Follows the client, which tries to get files meanwhile, until one of its connections is seen. */
  async function followed(): Promise<string> {
    const stop = "/run/lab/ftp-client-stops";
    const loop = site.network
      .sh(
        "client",
        `rm -f ${stop}; while [ ! -e ${stop} ]; do curl -s --max-time 20 ${URL} || true; done >/dev/null 2>&1 & echo $!`,
      )
      .trim();
    try {
      const line = ["doctor", "--client", CLIENT, "--for", "3s"];
      return await eventually(
        async () => {
          const { stdout, stderr } = await ours(line);
          assert.equal(stderr, "");
          return stdout.replaceAll(/\s+/g, " ");
        },
        (text) => text.includes(" ftp "),
      );
    } finally {
      site.network.sh("client", `: >${stop}`);
      const runs = await eventually(
        () => Promise.resolve(existsSync(`/proc/${loop}`)),
        (is) => !is,
      );
      assert.ok(!runs);
    }
  }

  const TRACK =
    "iptables-legacy -t mangle -A FORWARD -m conntrack --ctstate NEW";
  const OTHER_URL = "ftp://192.0.2.100:2121/file";
  proves(site, {
    id: "ftp-helper-missing",
    subject: "tcp/192.0.2.100:2121",
    seen: /^ip_vs_ftp handles port 21 and not port 2121, and its servers are masqueraded: /,
    rules: rulesAt(2121),
    async prepare() {
      director(TRACK);
      await load("ports=21,2121", rulesAt(2121));
    },
    works: () => works(OTHER_URL),
    async fault() {
      director(TRACK.replace("-A", "-D"));
      await load("", rulesAt(2121));
    },
    fails: () => fails(OTHER_URL),
    lastly() {
      director("iptables-legacy -t mangle -F FORWARD");
      removeFiles();
    },
  });
});

suite("doctor finds that FTP is not persistent", { skip }, () => {
  const { site, works, fails } = ftpSite(ONE_NETWORK, "203.0.113.10");
  const URL = "ftp://203.0.113.100/file";
  const rules = (more: string) => `
    -A -t 203.0.113.100:21 -s rr${more}
    -a -t 203.0.113.100:21 -r 203.0.113.11 -g
    -a -t 203.0.113.100:21 -r 203.0.113.12 -g`;

  proves(site, {
    id: "ftp-not-persistent",
    subject: "tcp/203.0.113.100:21",
    seen: /^its servers have direct routing, and it is not persistent: /,
    rules: rules(" -p 300"),
    works: () => works(URL),
    fault: () => balance(rules("")),
    fails: () => fails(URL),
  });
});
