/**
 * `node caller-program.js`: a client that makes the calls it reads from standard input. See
 * `caller.ts`.
 */
import { Agent } from "node:http";
import { createInterface } from "node:readline";
import type { Reply } from "../lab/http.js";
import { requestPage } from "../lab/http-request.js";
import type { Call } from "./caller.js";
import { exchangeDatagrams } from "./datagrams.js";

/** After this number of failures, more requests would only take time. */
const MOST_FAILURES = 2;

/** Held connections by local port. */
const held = new Map<number, Agent>();

for await (const line of createInterface(process.stdin)) {
  const answer = await carryOut(JSON.parse(line) as Call);
  console.log(JSON.stringify(answer ?? null));
}
process.exit();

async function carryOut(call: Call): Promise<unknown> {
  switch (call.task) {
    case "get":
      return getAll(call);
    case "hold":
      held.set(call.port, new Agent({ keepAlive: true, maxSockets: 1 }));
      return [await askOn(call, true)];
    case "ask":
      return askOn(call, false);
    case "close":
      return held.get(call.port)?.destroy();
    case "datagrams":
      return exchangeDatagrams(call);
  }
}

async function getAll(call: Call): Promise<Reply[]> {
  const replies: Reply[] = [];
  let failures = 0;
  while (replies.length < call.count && failures < MOST_FAILURES) {
    const reply = await requestPage(
      call.to,
      // Without an agent, no connection is kept for the next request.
      { ...local(call, call.port + replies.length), agent: false },
      call.patienceSeconds,
    );
    if ("failure" in reply) failures++;
    replies.push(reply);
  }
  return replies;
}

/** Makes a request on a held connection. Only the first request may open it. */
async function askOn(call: Call, first: boolean): Promise<Reply> {
  const agent = held.get(call.port);
  if (!agent) return { failure: "no such connection" };
  const open = Object.keys(agent.freeSockets).length > 0;
  if (!first && !open) return { failure: "the connection was lost" };
  const options = { ...local(call, call.port), agent };
  return requestPage(call.to, options, call.patienceSeconds);
}

function local({ from }: Call, localPort: number) {
  return from === undefined ? { localPort } : { localPort, localAddress: from };
}
