import { formatAddress, type Address } from "../../ipvs/address.js";
import { isWithin } from "../../rtnl/address-owners.js";
import type { Device, DeviceAddress } from "../../rtnl/model.js";
import { check } from "../check.js";
import type { Finding } from "../finding.js";
import type { NearClient, RealServer } from "./real-server.js";
import { MAIN } from "./way-back.js";

/** Answers that leave into a network of this machine in which the clients are not. */
export const nearClients = check(
  ["client-not-neighbor"],
  ["realServer"],
  ({ realServer }) => {
    const found = new Map<string, Finding<"client-not-neighbor">>();
    for (const near of realServer.nearClients ?? []) {
      if (near.hardwareAddress !== undefined) continue;
      const finding = takenNetwork(realServer, near);
      if (finding) found.set(formatAddress(near.client), finding);
    }
    return [...found.values()];
  },
  ({ realServer: { method, nearClients: asked } }) =>
    method !== undefined && method !== "masq" && asked !== undefined,
);

function takenNetwork(
  server: RealServer,
  { client, device: index, waits }: NearClient,
): Finding<"client-not-neighbor"> | undefined {
  const device = server.devices.find((one) => one.index === index);
  if (!device) return undefined;
  const text = formatAddress(client);
  const own = networkOf(server, client, device);
  const where = own
    ? `the network of ${kindText(device)}, ${formatAddress(own.address)}/${own.prefixBits}`
    : `a network of ${kindText(device)}`;
  const asks = client.length === 4 ? "ARP" : "neighbor discovery";
  return {
    id: "client-not-neighbor",
    subject: text,
    seen: `answers to it leave by ${device.name}, without a router, as if it were in ${where}; it does not answer ${asks} there, and requests come in by another interface`,
    evidence: waits
      ? [
          `a connection of ${text} waits in SYN_RECV: the client has not confirmed the answer`,
        ]
      : [],
    next: [
      {
        command: `ip route get ${text}`,
        effect: "changes nothing; shows the interface by which answers leave",
      },
    ],
    cure: cureFor(server, device, own, text),
    fix: [],
  };
}

function cureFor(
  { routes }: RealServer,
  { name, kind }: Device,
  own: DeviceAddress | undefined,
  client: string,
): string {
  const router = routerOf(routes, client.includes(":") ? 16 : 4) ?? "ROUTER";
  const network = own
    ? `${formatAddress(own.address)}/${own.prefixBits}`
    : "its network";
  const containers =
    kind === "bridge"
      ? " Docker takes the networks of its bridges from default-address-pools in /etc/docker/daemon.json; a network that exists must be created again."
      : "";
  return `This machine takes the clients' network for its own. Give ${name} a network that no clients have, in place of ${network}, also in the configuration.${containers} If ${name} must keep it, and the clients' network is smaller: 'ip route add CLIENTNET via ${router}'. Until then one client is reached with 'ip route add ${client} via ${router}'; the machines behind ${name} then do not have that address.`;
}

/** `bridge br-office`, `lan` */
function kindText({ name, kind }: Device): string {
  return kind === "bridge" ? `bridge ${name}` : name;
}

/** The address of the interface whose network contains the client. */
function networkOf(
  { addresses }: RealServer,
  client: Address,
  { index }: Device,
): DeviceAddress | undefined {
  return addresses.find(
    (own) =>
      own.device === index &&
      own.address.length === client.length &&
      own.prefixBits < client.length * 8 &&
      isWithin(client, own.peer ?? own.address, own.prefixBits),
  );
}

/** The router of the default route, if there is one. */
function routerOf(
  routes: RealServer["routes"],
  length: number,
): string | undefined {
  const [only, ...others] = routes.filter(
    ({ type, table, target, prefixBits }) =>
      type === "unicast" &&
      table === MAIN &&
      prefixBits === 0 &&
      target.length === length,
  );
  const gateway = only?.hops.length === 1 ? only.hops[0]?.gateway : undefined;
  return gateway && others.length === 0 ? formatAddress(gateway) : undefined;
}

/** By which ways answers leave: what was seen, also if it is no fault. */
export function answerWays({ ways, client, devices }: RealServer): string[] {
  if (!client) return [];
  const texts = ways.flatMap(({ back }) =>
    typeof back === "object"
      ? back.hops.map(({ gateway, device }) => {
          const name = devices.find(({ index }) => index === device)?.name;
          const by = name === undefined ? "" : ` by ${name}`;
          const through = gateway
            ? `through ${formatAddress(gateway)}`
            : "without a router";
          return `answers to ${formatAddress(client)} leave${by}, ${through}`;
        })
      : [],
  );
  return [...new Set(texts)];
}
