import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectionLine, TITLE } from "../../fixtures/connections.js";
import { address } from "../../fixtures/entries.js";

/** Writes a connection table in which one client has most of the connections, and passes its file on. */
export async function withConnections(
  folder: string,
  work: (file: string) => Promise<void>,
): Promise<void> {
  const file = join(folder, "ip_vs_conn");
  writeFileSync(file, connectionsText(200));
  await work(file);
}

/** 198.51.100.7 has half of the connections. */
export function connectionsText(count: number): string {
  const lines = Array.from({ length: count }, (_, i) =>
    connectionLine({
      protocol: "TCP",
      client: address(`198.51.100.${i % 2 ? 7 : 10 + (i % 90)}`),
      clientPort: 20_000 + i,
      virtual: address("192.0.2.1"),
      virtualPort: 443,
      server: address(`10.1.0.${11 + (i % 3)}`),
      serverPort: 8080,
      state: i % 5 ? "ESTABLISHED" : "FIN_WAIT",
      expiresSeconds: 100,
    }),
  );
  return `${[TITLE, ...lines].join("\n")}\n`;
}
