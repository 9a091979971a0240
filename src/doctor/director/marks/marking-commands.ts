import { formatAddress, type Address } from "../../../ipvs/address.js";
import { TRANSPORTS, type Protocol } from "../../../ipvs/model.js";

/** The match multiport accepts no more. */
const MOST_PORTS = 15;

/** The commands of iptables that set a mark on the packets to some ports of an address. Port 0 is every port. */
export function markingCommands(
  program: string,
  address: Address,
  byProtocol: ReadonlyMap<Protocol, Iterable<number>>,
  mark: number,
): string[] {
  return Array.from(byProtocol).flatMap(([protocol, ports]) =>
    portMatches([...ports]).map(
      (match) =>
        `${program} -t mangle -A PREROUTING -d ${formatAddress(address)} -p ${TRANSPORTS[protocol]}${match} -j MARK --set-mark ${mark}`,
    ),
  );
}

function portMatches(ports: readonly number[]): string[] {
  if (ports.includes(0)) return [""];
  if (ports.length === 1) return [` --dport ${ports.join()}`];
  const matches: string[] = [];
  for (let i = 0; i < ports.length; i += MOST_PORTS)
    matches.push(
      ` -m multiport --dports ${ports.slice(i, i + MOST_PORTS).join()}`,
    );
  return matches;
}
