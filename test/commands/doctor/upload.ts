import assert from "node:assert/strict";
import { parseSentErrors } from "../../../src/doctor/read-sent-errors.js";
import { DIRECTOR } from "../../lab/network.js";
import type { Site } from "../../traffic/site.js";

/** What {@link upload} returns if no answer comes in time. */
export const NO_ANSWER = /^(AbortError|TimeoutError)$/;

/**
 * Has the client, or another host, send a request of several packets.
 *
 * @param seconds to wait for the answer
 * @returns the status of the answer, or the name of the error
 */
export function upload(
  site: Site,
  url: string,
  seconds: number,
  host = "client",
): string {
  const program = `
    const headers = { filling: "x".repeat(8000) };
    const signal = AbortSignal.timeout(${seconds} * 1000);
    const tell = (what) => { console.log(what); process.exit(); };
    require("http")
      .get("${url}", { headers, signal }, (response) => tell(response.statusCode))
      .on("error", (error) => tell(error.name));`;
  return site.network.sh(host, `${process.execPath} -e '${program}'`).trim();
}

/** Has the client send large requests in vain, until the director has refused a packet as too big. */
export function uploadInVain(site: Site, url: string): void {
  const refused = () => {
    const [snmp = "", snmp6 = ""] = ["snmp", "snmp6"].map((name) =>
      site.network.sh(DIRECTOR, `cat /proc/net/${name}`),
    );
    const sent = parseSentErrors(snmp, snmp6);
    assert.ok(sent);
    return sent.unreachable + sent.tooBig;
  };
  const before = refused();
  // On a slow machine the time can end before the first large packet.
  for (let attempts = 0; attempts < 20 && refused() === before; attempts++)
    assert.match(upload(site, url, 3), NO_ANSWER);
  assert.notEqual(refused(), before);
}
