/**
 * `node http-client.js URL COUNT PORT [SECONDS]`: makes requests one after the other, from this local
 * port and the following ones, and waits for each reply at most this time. Prints the replies as JSON.
 */
import type { Reply } from "./http.js";
import { requestPage } from "./http-request.js";

/** After this number of failures, more requests would only take time. */
const MOST_FAILURES = 5;

const [url = "", count = "0", firstPort = "0", patience] =
  process.argv.slice(2);
const patienceSeconds = patience === undefined ? undefined : Number(patience);
const replies: Reply[] = [];
let failures = 0;
while (replies.length < Number(count) && failures < MOST_FAILURES) {
  const localPort = Number(firstPort) + replies.length;
  // Without an agent, no connection is kept for the next request.
  const options = { agent: false, localPort };
  const reply = await requestPage(url, options, patienceSeconds);
  if ("failure" in reply) failures++;
  replies.push(reply);
}
console.log(JSON.stringify(replies));
