import {
  formatEndpoint,
  formatService,
  type ServiceWithServers,
} from "./model.js";

/**
 * All settings of a table as text, to compare two readings.
 *
 * @returns undefined if a key appears twice: then the table changed during the reading
 */
export function settingsText(
  table: readonly ServiceWithServers[],
): string | undefined {
  const lines = new Map<string, string>();
  for (const { key, settings, servers } of table) {
    const service = formatService(key);
    const rows: (readonly [string, object])[] = [
      [service, settings],
      ...servers.map(
        (server) =>
          [
            `${service} ${formatEndpoint(server.key.address, server.key.port)}`,
            server.settings,
          ] as const,
      ),
    ];
    for (const [name, value] of rows) {
      if (lines.has(name)) return undefined;
      lines.set(name, JSON.stringify(value));
    }
  }
  return [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).join("\n");
}
