import assert from "node:assert/strict";
import { IpvsClient } from "../../src/ipvs/client.js";
import type { Exchange, Request } from "../../src/netlink/exchange.js";
import { Writer } from "../../src/netlink/writer.js";
import { hex } from "../fixtures/hex.js";
import { INFO } from "../fixtures/replies.js";
import { readBy, type RawReply } from "../netlink/raw-reply.js";

/** The number of the generic netlink family IPVS in these tests. */
export const FAMILY = 0x1c;
const CONTROLLER = 16;
const FAMILY_REPLY = hex("01020000 0600 0100 1c00 0000");

/** A request with its payload encoded. */
export interface Asked {
  readonly type: number;
  readonly expects: Request["expects"];
  readonly bytes: Uint8Array;
}

function written(request: Request): Asked {
  const out = new Writer();
  request.write(out);
  const { type, expects } = request;
  return { type, expects, bytes: out.written };
}

export const YES: RawReply = { kind: "done", payloads: [] };

export function payloads(...payloads: Uint8Array[]): RawReply {
  return { kind: "done", payloads };
}

export function refused(errno: number, explanation?: string): RawReply {
  return {
    kind: "refused",
    refusal: explanation === undefined ? { errno } : { errno, explanation },
  };
}

/**
 * A client whose exchange answers open() like a kernel with IPVS. The test answers everything else.
 */
export async function clientOf(react: (asked: Asked) => RawReply = () => YES) {
  const opening: Asked[] = [];
  const asked: Asked[] = [];
  let open = false;
  const exchange: Exchange = async (requests) => {
    await Promise.resolve(); // requests are encoded later, as by a real exchange
    const all = requests.map(written);
    (open ? asked : opening).push(...all);
    const replies = all.map(open ? react : openingReply);
    return requests.map((request, i) => readBy(request, replies[i] ?? YES));
  };
  const client = await IpvsClient.open(exchange);
  open = true;
  return { client, asked, opening };
}

function openingReply({ type, bytes }: Asked): RawReply {
  if (type === CONTROLLER) return payloads(FAMILY_REPLY);
  assert.equal(type, FAMILY);
  assert.equal(bytes[0], 15, "GET_INFO");
  return payloads(INFO);
}
