import { formatAddress, sameAddress, type Address } from "../ipvs/address.js";
import { ConnectionReader } from "../ipvs/connection-reader.js";
import { isTemplate } from "../ipvs/connection-states.js";
import { blocksOf } from "../system/files.js";
import { nextEventLoopTurn } from "../system/event-loop.js";
import {
  isTaking,
  placeOfService,
  templatePlace,
  type AddressService,
  type Binding,
  type GroupClients,
} from "./persistence-groups.js";

/** Templates of more clients are not examined. */
const MOST_CLIENTS = 100_000;

interface BoundClient {
  readonly client: Address;
  readonly bindings: Binding[];
}

/**
 * Reads where persistence binds the clients of each group of services.
 *
 * @param file /proc/net/ip_vs_conn
 * @throws the error of open(2)
 */
export async function readGroupClients(
  file: string,
  groups: readonly (readonly AddressService[])[],
): Promise<GroupClients[]> {
  if (groups.length === 0) return [];
  const clients = groups.map(() => new Map<string, BoundClient>());
  const places = new Map(
    groups.flatMap((services, i) =>
      services.map(
        (service) =>
          [
            placeOfService(service),
            { service, bound: clients[i] ?? new Map<string, BoundClient>() },
          ] as const,
      ),
    ),
  );
  const reader = new ConnectionReader();
  for await (const lines of blocksOf(file)) {
    reader.load(lines);
    while (reader.next()) {
      if (!isTemplate(reader)) continue;
      const { client, virtual, server } = reader;
      if (!client || !virtual || !server) continue;
      const place = places.get(
        templatePlace(reader.protocol, virtual, reader.virtualPort),
      );
      if (place && isTaking(place.service, server))
        bind(place.bound, client, { service: place.service, server });
    }
    await nextEventLoopTurn();
  }
  return groups.map((services, i) => ({
    services,
    ...summary([...(clients[i]?.values() ?? [])]),
  }));
}

function bind(
  bound: Map<string, BoundClient>,
  client: Address,
  binding: Binding,
): void {
  const name = formatAddress(client);
  const before = bound.get(name);
  if (before) before.bindings.push(binding);
  else if (bound.size < MOST_CLIENTS)
    bound.set(name, { client, bindings: [binding] });
}

function summary(clients: readonly BoundClient[]) {
  const several = clients.filter(
    ({ bindings }) => new Set(bindings.map(({ service }) => service)).size > 1,
  );
  const split = several.flatMap(({ client, bindings }) => {
    const [first] = bindings;
    const other = bindings.find(
      ({ service, server }) =>
        first &&
        service !== first.service &&
        !sameAddress(server, first.server),
    );
    return first && other ? [{ client, bindings: [first, other] }] : [];
  });
  return {
    several: several.length,
    split: split.length,
    example: split[0],
  };
}
