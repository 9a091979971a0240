import { INET, INET6 } from "../../src/ipvs/address.js";
import {
  TCP,
  type ServerEntry,
  type ServiceSettings,
  type ServiceWithServers,
} from "../../src/ipvs/model.js";
import { address, serviceEntry } from "../fixtures/entries.js";

/** A TCP service at port 80 with these servers. */
export function serviceAt(
  text: string,
  servers: readonly ServerEntry[] = [],
  settings: Partial<ServiceSettings> = {},
): ServiceWithServers {
  const virtual = address(text);
  const family = virtual.length === 4 ? INET : INET6;
  const key = { family, protocol: TCP, address: virtual, port: 80 } as const;
  return serviceEntry(key, settings, servers);
}

/** Sysctls by their names with dots. */
export function sysctls(
  values: Readonly<Record<string, number | string>>,
): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(values).map(([name, value]) => [
      name.replaceAll(".", "/"),
      String(value),
    ]),
  );
}

/** What a finding says, in one line: its id, subject and fix. */
export function told(finding: {
  readonly id: string;
  readonly subject?: string | undefined;
  readonly fix: readonly {
    readonly command: string;
    readonly on?: string | undefined;
  }[];
}): string[] {
  return [
    `${finding.id} ${finding.subject ?? "-"}`,
    ...finding.fix.map(({ command, on }) =>
      on === undefined ? command : `${on}: ${command}`,
    ),
  ];
}
