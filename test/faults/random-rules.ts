import type { Random } from "../compat/random.js";

interface RandomService {
  readonly selector: string;
  readonly settings: string;
  readonly servers: ReadonlyMap<string, string>;
}

/** A random table. */
export type RandomTable = ReadonlyMap<string, RandomService>;

const SERVICES = [
  "-t 192.0.2.1:80",
  "-t 192.0.2.1:443",
  "-u 192.0.2.53:53",
  "-t [2001:db8::1]:80",
  "-f 7",
  "--sctp-service 192.0.2.2:5060",
];
const SETTINGS = [
  "-s rr",
  "-s wrr",
  "-s wlc -p 300",
  "-s sh -b sh-port",
  "-s mh",
];

function servers(selector: string): readonly string[] {
  const port = selector === "-f 7" ? "" : ":8080";
  const hosts = selector.includes("[")
    ? ["[fd00::11]", "[fd00::12]", "[fd00::13]"]
    : ["10.0.0.11", "10.0.0.12", "10.0.0.13", "10.0.0.14"];
  return hosts.map((host) => `${host}${port}`);
}

function randomService(random: Random, selector: string): RandomService {
  const chosen = servers(selector).filter(() => random.chance(0.6));
  return {
    selector,
    settings: random.pick(SETTINGS),
    servers: new Map(
      chosen.map((server) => [server, randomServer(random)] as const),
    ),
  };
}

function randomServer(random: Random): string {
  const weight = random.pick([0, 1, 1, 2, 5, 100]);
  const limits = random.chance(0.2) ? " -x 200 -y 100" : "";
  return `${random.pick(["-m", "-g", "-i"])} -w ${weight}${limits}`;
}

/** @param least services at least */
export function randomTable(random: Random, least = 0): RandomTable {
  const count = least + random.below(4);
  return new Map(
    random
      .shuffle(SERVICES)
      .slice(0, count)
      .map((selector) => [selector, randomService(random, selector)] as const),
  );
}

/** A table with some differences to another one, and at least one service. */
export function changedTable(random: Random, table: RandomTable): RandomTable {
  const changed = new Map(table);
  for (let left = 1 + random.below(3); left > 0; left--) {
    const selector = random.pick(SERVICES);
    const service = changed.get(selector);
    if (!service || random.chance(0.2)) {
      changed.set(selector, randomService(random, selector));
      continue;
    }
    if (random.chance(0.2) && changed.size > 1) {
      changed.delete(selector);
      continue;
    }
    const servers = new Map(service.servers);
    const [server] = random.shuffle([...servers.keys()]);
    if (server === undefined || random.chance(0.3))
      changed.set(selector, { ...service, settings: random.pick(SETTINGS) });
    else {
      if (random.chance(0.3)) servers.delete(server);
      else servers.set(server, randomServer(random));
      changed.set(selector, { ...service, servers });
    }
  }
  return changed.size > 0 ? changed : randomTable(random, 1);
}

/** The rules of a table, as `ipvsadm -Sn` prints them. */
export function rulesOf(table: RandomTable): string {
  return [...table.values()]
    .flatMap(({ selector, settings, servers }) => [
      `-A ${selector} ${settings}\n`,
      ...[...servers].map(
        ([server, settings]) => `-a ${selector} -r ${server} ${settings}\n`,
      ),
    ])
    .join("");
}

/** A server of a table, as the subcommands name it: service and server. */
export function anyServer(
  random: Random,
  table: RandomTable,
): readonly [service: string, server: string] | undefined {
  const all = [...table.values()].flatMap(({ selector, servers }) =>
    [...servers].map(([server, settings]) => ({ selector, server, settings })),
  );
  if (all.length === 0) return undefined;
  const { selector, server, settings } = random.pick(all);
  // Only masquerading can change the port: otherwise the server has that of the service.
  const port = /:([0-9]+)$/.exec(selector)?.[1];
  const name =
    settings.startsWith("-m") || port === undefined
      ? server
      : server.replace(/[0-9]+$/, port);
  return [subcommandName(selector), name];
}

function subcommandName(selector: string): string {
  const [option = "", value = ""] = selector.split(" ");
  const protocol = { "-t": "tcp/", "-u": "udp/", "--sctp-service": "sctp/" };
  return option === "-f"
    ? `fwm/${value}`
    : `${protocol[option as keyof typeof protocol]}${value}`;
}
