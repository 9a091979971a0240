import { makeNamespace, removeNamespace, sh } from "./namespaces.js";

/** The host that is the namespace of this process: programs in this process run on the director. */
export const DIRECTOR = "director";

/** The configuration of a host. */
export interface HostPlan {
  /**
   * Addresses with prefix length, by interface. An interface has the name of the network to which
   * it connects, or is `lo`.
   */
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  /** Arguments of `ip route add`: `default via 192.0.2.1`. */
  readonly routes?: readonly string[];
  /**
   * Applied before the host gets addresses: `{ "net.ipv4.ip_forward": 1 }`. The director keeps them
   * afterwards.
   */
  readonly sysctls?: Readonly<Record<string, number>>;
}

/**
 * Hosts by name. A network exists if a host has addresses in it. Both names become interface names,
 * so they have at most 15 characters.
 */
export type NetworkPlan = Readonly<Record<string, HostPlan>>;

/** A network that exists until it is disposed of. */
export interface Network extends Disposable {
  /**
   * Runs a shell command on a host and returns its output.
   *
   * @throws an error with its stderr if it fails
   */
  sh(host: string, command: string): string;
}

/**
 * Builds hosts out of namespaces. Each network is a bridge in a namespace of its own, so that what one
 * host sends to another in the same network does not come by the director.
 *
 * @example
 * using network = buildNetwork({
 *   client: { addresses: { lan: ["192.0.2.10/24"] } },
 *   [DIRECTOR]: { addresses: { lan: ["192.0.2.1/24", "192.0.2.100/32"] } },
 * });
 * network.sh("client", "ping -c 1 192.0.2.100");
 */
export function buildNetwork(plan: NetworkPlan): Network {
  try {
    for (const name of networksOf(plan)) makeSwitch(name);
    for (const [host, wanted] of Object.entries(plan)) makeHost(host, wanted);
    waitForLinks(plan);
  } catch (error) {
    demolish(plan);
    throw error;
  }
  return {
    sh: (host, command) => sh(shellOn(host, command)),
    [Symbol.dispose]() {
      demolish(plan);
    },
  };
}

/** The command that runs a program on a host. */
export function commandOn(host: string, words: readonly string[]): string[] {
  return host === DIRECTOR
    ? [...words]
    : ["ip", "netns", "exec", host, ...words];
}

function shellOn(host: string, command: string): string {
  return commandOn(host, ["sh", "-ec", command])
    .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
    .join(" ");
}

function makeSwitch(network: string): void {
  const namespace = switchOf(network);
  makeNamespace(namespace);
  sh(`ip -n ${namespace} link add name bridge up type bridge`);
}

function makeHost(host: string, plan: HostPlan): void {
  if (host !== DIRECTOR) makeNamespace(host);
  const commands = [
    ...networksOf({ [host]: plan }).flatMap((name) => plugIn(host, name)),
    ...Object.entries(plan.sysctls ?? {}).map(([key, value]) =>
      shellOn(host, `echo ${value} >/proc/sys/${key.replaceAll(".", "/")}`),
    ),
    ...Object.entries(plan.addresses).flatMap(([device, addresses]) =>
      addresses.map((address) => addAddress(host, device, address)),
    ),
    ...(plan.routes ?? []).map((route) => `${ip(host)} route add ${route}`),
  ];
  sh(commands.join("\n"));
}

/**
 * Connects the host's interface, named after the network, with a port of the bridge, named after
 * the host.
 */
function plugIn(host: string, network: string): string[] {
  const namespace = switchOf(network);
  return [
    `${ip(host)} link add name ${network} type veth peer name ${host} netns ${namespace}`,
    `ip -n ${namespace} link set dev ${host} master bridge up`,
    `${ip(host)} link set dev ${network} up`,
  ];
}

/**
 * Waits until all links carry packets. The kernel may notice a second after both ends of a link are up, and drops packets
 * until then.
 */
function waitForLinks(plan: NetworkPlan): void {
  const links = Object.entries(plan).flatMap(([host, wanted]) =>
    networksOf({ [host]: wanted }).flatMap((network) => [
      `${ip(host)} -o link show dev ${network}`,
      `ip -n ${switchOf(network)} -o link show dev ${host}`,
    ]),
  );
  if (links.length > 0)
    sh(
      `for i in $(seq 600); do
         [ $({ ${links.join("; ")}; } | grep -c ' state UP ') -lt ${links.length} ] || exit 0
         sleep 0.1
       done
       echo 'a link is not up' >&2; exit 1`,
    );
}

function addAddress(host: string, device: string, address: string): string {
  // Without this option, an IPv6 address is unusable until duplicate address detection is done.
  const options = address.includes(":") ? " nodad" : "";
  return `${ip(host)} address add ${address} dev ${device}${options}`;
}

/** Deletes the parts of the network that exist. */
function demolish(plan: NetworkPlan): void {
  for (const [host, wanted] of Object.entries(plan)) {
    if (host === DIRECTOR) clearDirector(wanted);
    else removeNamespace(host);
  }
  networksOf(plan).map(switchOf).forEach(removeNamespace);
}

/** The namespace of this process remains, so its parts are deleted one by one. */
function clearDirector(plan: HostPlan): void {
  const commands = [
    ...networksOf({ [DIRECTOR]: plan }).map((name) => `link del dev ${name}`),
    ...(plan.addresses["lo"] ?? []).map((one) => `address del ${one} dev lo`),
  ];
  for (const command of commands) sh(`ip ${command} 2>/dev/null || true`);
}

function networksOf(plan: NetworkPlan): string[] {
  const devices = Object.values(plan).flatMap((host) =>
    Object.keys(host.addresses),
  );
  return [...new Set(devices)].filter((device) => device !== "lo");
}

function switchOf(network: string): string {
  return `switch-${network}`;
}

function ip(host: string): string {
  return host === DIRECTOR ? "ip" : `ip -n ${host}`;
}
