import { exchangeOver } from "../../src/netlink/exchange.js";
import { NetworkClient } from "../../src/rtnl/client.js";
import {
  ack,
  done,
  ScriptedLink,
  message,
  MULTI,
  type Sent,
} from "../netlink/scripted-link.js";

const MULTIPLE_OF_DUMP = 0x300;

/**
 * A client of a scripted kernel: it replies to a request with payloads (a dump: any number), or
 * with an errno.
 */
export function networkOf(
  answer: (request: Sent) => readonly Uint8Array[] | number,
): { readonly client: NetworkClient; readonly link: ScriptedLink } {
  const link = new ScriptedLink((requests) =>
    requests.flatMap((request) => {
      const dumps = (request.flags & MULTIPLE_OF_DUMP) === MULTIPLE_OF_DUMP;
      const end = (errno = 0) =>
        dumps && errno === 0 ? done(request) : ack(request, errno);
      const payloads = answer(request);
      if (typeof payloads === "number") return [end(payloads)];
      const type = request.type - 2; // from RTM_GET* to RTM_NEW*
      const flags = dumps ? MULTI : 0;
      return [
        ...payloads.map((one) => message(type, flags, request.sequence, one)),
        end(),
      ];
    }),
  );
  return { client: new NetworkClient(exchangeOver(link)), link };
}
