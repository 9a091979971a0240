/*
 * overrun.js: makes the kernel send more refusals than the receive buffer of the full
 * executable's socket holds, then sends a request. Prints the result as JSON. Run it with Bun.
 */
import { IpvsClient, type Change } from "../../src/ipvs/client.js";
import { INET } from "../../src/ipvs/address.js";
import { exchangeOver } from "../../src/netlink/exchange.js";
import { openFfiLink } from "../../src/netlink/bun-link.js";

const REFUSALS = 1024;

const link = openFfiLink();
const client = await IpvsClient.open(
  exchangeOver({ ...link, receiveBufferBytes: Infinity }),
);
const failures = await client.apply(
  Array.from({ length: REFUSALS }, (_, i): Change => ({
    command: "delete-service",
    service: { family: INET, firewallMark: i + 1 },
  })),
);
const named = (name: string) =>
  failures.filter((failure) => failure?.name === name).length;
const { tcpSeconds } = await client.timeouts();
console.log(
  JSON.stringify({
    refused: named("KernelRefusal"),
    lost: named("ReplyLost"),
    tcpSeconds,
  }),
);
process.exit(0);
