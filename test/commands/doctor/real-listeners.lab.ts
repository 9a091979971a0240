import assert from "node:assert/strict";
import { after, before, suite } from "node:test";
import { fileURLToPath } from "node:url";
import { startServer } from "../../lab/http.js";
import { startServerProgram, type Server } from "../../lab/server.js";
import { ONE_NETWORK } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { proverOf } from "./real-server-case.js";

const VIP = "203.0.113.100";
const RULES = `
  -A -t ${VIP}:80 -s rr
  -a -t ${VIP}:80 -r 203.0.113.11 -g
  -a -t ${VIP}:80 -r 203.0.113.12 -g`;
const DATAGRAM_RULES = RULES.replaceAll("-t", "-u").replaceAll(":80", ":53");
const DATAGRAM_SERVER = fileURLToPath(
  new URL("../../traffic/datagram-server.js", import.meta.url),
);

suite("doctor of a real server whose programs listen elsewhere", () => {
  const site = siteOf(ONE_NETWORK, {
    real2: { http: [80], datagrams: [`${VIP}:53`] },
  });
  const proves = proverOf(site);
  let http: Server;
  let datagrams: Server;
  before(async () => {
    http = await startServer("real1", [80]);
    datagrams = await startDatagrams(`${VIP}:53`);
  });
  after(async () => {
    await http.stop();
    await datagrams.stop();
  });

  function startDatagrams(endpoint: string): Promise<Server> {
    const words = [process.execPath, DATAGRAM_SERVER, "real1", endpoint];
    return startServerProgram("real1", "UDP server", words);
  }

  const listenAt = async (endpoint: number | string) => {
    await http.stop();
    http = await startServer("real1", [endpoint]);
  };
  const answerAt = async (endpoint: string) => {
    await datagrams.stop();
    datagrams = await startDatagrams(endpoint);
  };

  proves({
    id: "nobody-listens",
    subject: `tcp/${VIP}:80`,
    seen: /^no program listens at this port$/,
    rules: RULES,
    words: `--real-server tcp/${VIP}:80`,
    url: `http://${VIP}/`,
    fault: () => http.stop(),
    cure: () => listenAt(80),
  });

  proves({
    id: "nobody-listens",
    name: "but at the real server's own address",
    seen: /^programs listen at this port only at 203\.0\.113\.11$/,
    rules: RULES,
    words: `--real-server ${VIP}:80`,
    url: `http://${VIP}/`,
    fault: () => listenAt("203.0.113.11:80"),
    cure: () => listenAt(`${VIP}:80`),
  });

  /** The addresses from which the two servers answer. */
  async function sources(): Promise<string[]> {
    const found: string[] = [];
    for (let n = 0; n < 2; n++)
      for (const reply of await site.client.sendDatagrams(`${VIP}:53`))
        found.push("source" in reply ? reply.source : reply.failure);
    return found.sort();
  }

  proves({
    id: "udp-wildcard",
    subject: `udp/${VIP}:53`,
    severity: "warning",
    seen: /at 0\.0\.0\.0, which is any address$/,
    rules: DATAGRAM_RULES,
    words: `--real-server udp/${VIP}:53`,
    works: async () => {
      assert.deepEqual(await sources(), [`${VIP}:53`, `${VIP}:53`]);
    },
    fault: () => answerAt("0.0.0.0:53"),
    fails: async () => {
      assert.deepEqual(
        await sources(),
        [`${VIP}:53`, "203.0.113.11:53"].sort(),
      );
    },
    cure: () => answerAt(`${VIP}:53`),
  });
});
