import {
  DIRECT_ROUTING,
  IPIP,
  MASQUERADING,
  TUNNELING,
  TUNNEL_CHECKSUM,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_IPIP,
  TUNNEL_REMOTE_CHECKSUM,
  type Tunnel,
} from "../../ipvs/model.js";
import { nearest } from "../../text/nearest.js";
import type { StatementReader } from "./statement-reader.js";
import type { Statement, Word } from "./statements.js";

/** How packets reach a real server. */
export interface ForwardingMethod {
  readonly forwarding: number;
  readonly tunnel: Tunnel;
}

/** The default of keepalived. */
export const NAT: ForwardingMethod = { forwarding: MASQUERADING, tunnel: IPIP };

const METHODS: ReadonlyMap<string, number> = new Map([
  ["NAT", MASQUERADING],
  ["DR", DIRECT_ROUTING],
  ["TUN", TUNNELING],
]);

const TUNNEL_TYPES: ReadonlyMap<string, number> = new Map([
  ["ipip", TUNNEL_IPIP],
  ["gue", TUNNEL_GUE],
  ["gre", TUNNEL_GRE],
]);

const CHECKSUMS: ReadonlyMap<string, number> = new Map([
  ["nocsum", 0],
  ["csum", TUNNEL_CHECKSUM],
  ["remcsum", TUNNEL_REMOTE_CHECKSUM],
]);

/** Reads `lvs_method NAT|DR|TUN [type …]`. @returns undefined if it has no effect, or an error */
export function readMethod(
  statement: Statement,
  reader: StatementReader,
): ForwardingMethod | undefined {
  const word = reader.word(statement, "NAT, DR or TUN");
  if (!word) return undefined;
  const forwarding = METHODS.get(word.text);
  if (forwarding === undefined) {
    const meant = nearest(word.text, METHODS.keys());
    reader.ignored(
      word,
      `unknown forwarding method "${word.text}"`,
      meant === undefined ? "use NAT, DR or TUN" : `did you mean ${meant}?`,
    );
    return undefined;
  }
  const options = statement.arguments.slice(1);
  if (forwarding === TUNNELING) {
    const tunnel = readTunnel(options, reader);
    if (tunnel?.type !== TUNNEL_GUE || tunnel.port !== 0)
      return tunnel && { forwarding, tunnel };
    reader.ignored(word, "a GUE tunnel needs a port", "add port NUMBER");
    return undefined;
  }
  const [extra] = options;
  if (extra) reader.ignored(extra, `${word.text} has no options`);
  return { forwarding, tunnel: IPIP };
}

/** Reads `[type ipip|gue port NUMBER|gre] [nocsum|csum|remcsum]`. */
function readTunnel(
  options: readonly Word[],
  reader: StatementReader,
): Tunnel | undefined {
  let { type, port, flags } = IPIP;
  for (let i = 0; i < options.length; i++) {
    const option = options[i];
    if (!option) break;
    const value = options[i + 1];
    const checksum = CHECKSUMS.get(option.text);
    if (checksum !== undefined) flags = checksum;
    else if (option.text === "type" && value) {
      i++;
      const known = TUNNEL_TYPES.get(value.text);
      if (known === undefined) {
        reader.invalid(value, "a tunnel type: ipip, gue or gre");
        return undefined;
      }
      type = known;
    } else if (option.text === "port" && value) {
      i++;
      const number = reader.numberOf(value, 1, 65535);
      if (number === undefined) return undefined;
      port = number;
    } else {
      reader.invalid(
        option,
        "type, port, nocsum, csum or remcsum, with its value",
      );
      return undefined;
    }
  }
  return { type, port, flags };
}
