import type { Site } from "../../traffic/site.js";

/** What {@link upload} returns if no answer comes in time. */
export const NO_ANSWER = /^(AbortError|TimeoutError)$/;

/**
 * Has the client send a request of several packets.
 *
 * @param seconds to wait for the answer
 * @returns the status of the answer, or the name of the error
 */
export function upload(site: Site, url: string, seconds: number): string {
  const program = `
    const headers = { filling: "x".repeat(8000) };
    const signal = AbortSignal.timeout(${seconds} * 1000);
    const tell = (what) => { console.log(what); process.exit(); };
    require("http")
      .get("${url}", { headers, signal }, (response) => tell(response.statusCode))
      .on("error", (error) => tell(error.name));`;
  return site.network
    .sh("client", `${process.execPath} -e '${program}'`)
    .trim();
}
