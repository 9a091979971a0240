/**
 * `node http-client.js URL COUNT PORT`: makes requests one after the other, from this local port and
 * those that follow, and prints the replies as JSON.
 */
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { Page, Reply } from "./http.js";

const PATIENCE_SECONDS = 5;
/** After so many failures the rest would only take time. */
const MOST_FAILURES = 5;

const [url = "", count = "0", firstPort = "0"] = process.argv.slice(2);
const replies: Reply[] = [];
let failures = 0;
while (replies.length < Number(count) && failures < MOST_FAILURES) {
  const localPort = Number(firstPort) + replies.length;
  const reply = await ask(localPort).catch(failureOf);
  if ("failure" in reply) failures++;
  replies.push(reply);
}
console.log(JSON.stringify(replies));

async function ask(localPort: number): Promise<Reply> {
  const response = await connect(localPort);
  const body = await text(response);
  if (response.statusCode !== 200)
    return { failure: `status ${response.statusCode ?? 0}` };
  const { server, addressedAs, client } = JSON.parse(body) as Page;
  return { server, addressedAs, client, bytes: body.length };
}

function connect(localPort: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(PATIENCE_SECONDS * 1000);
    // Without an agent there is nothing that would keep a connection for the next request.
    const options = { agent: false, localPort, signal };
    get(url, options, resolve).on("error", reject);
  });
}

function failureOf(error: Error & { code?: string }): Reply {
  const timedOut = error.name === "AbortError" || error.name === "TimeoutError";
  if (timedOut) return { failure: `no answer in ${PATIENCE_SECONDS} s` };
  return { failure: error.code ?? error.message };
}
