import { spanOf } from "../../src/netlink/link.js";
import type { Reply, Request } from "../../src/netlink/exchange.js";
import type { Refusal } from "../../src/netlink/messages.js";

/** The outcome of a request, with the messages as the kernel encodes them. */
export type RawReply =
  | { readonly kind: "done"; readonly payloads: readonly Uint8Array[] }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "lost" };

/** The reply that an exchange makes of it. The request decodes each message. */
export function readBy<T>(request: Request<T>, reply: RawReply): Reply<T> {
  if (reply.kind !== "done") return reply;
  const entries: T[] = [];
  for (const payload of reply.payloads)
    if (request.read) entries.push(request.read(spanOf(payload)));
  return { kind: "done", entries };
}
