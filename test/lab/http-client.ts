/**
 * `node http-client.js URL COUNT PORT`: makes requests one after the other, from this local port
 * and the following ones. Prints the replies as JSON.
 */
import type { Reply } from "./http.js";
import { requestPage } from "./http-request.js";

/** After this number of failures, more requests would only take time. */
const MOST_FAILURES = 5;

const [url = "", count = "0", firstPort = "0"] = process.argv.slice(2);
const replies: Reply[] = [];
let failures = 0;
while (replies.length < Number(count) && failures < MOST_FAILURES) {
  const localPort = Number(firstPort) + replies.length;
  // Without an agent, no connection is kept for the next request.
  const reply = await requestPage(url, { agent: false, localPort });
  if ("failure" in reply) failures++;
  replies.push(reply);
}
console.log(JSON.stringify(replies));
