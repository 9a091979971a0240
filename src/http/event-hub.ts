import type { ServerResponse } from "node:http";

/** Formats a server-sent event. @param data one line */
export function eventText(name: string, data: string): string {
  return `event: ${name}\ndata: ${data}\n\n`;
}

/** The clients that receive events. */
export interface EventHub {
  /** Adds a client, which first gets the welcome. @returns false if there are too many */
  add(response: ServerResponse): boolean;
}

interface Client {
  readonly response: ServerResponse;
  /** It has missed events, because it reads slowly */
  behind: boolean;
}

/** Bytes that may wait for one client besides the event that is being sent. */
const MOST_WAITING_BYTES = 256 * 1024;

/**
 * Sends events to many clients (server-sent events).
 *
 * A client that reads slowly misses events. When it has read everything, it gets the welcome again, which makes up for what it
 * missed. So at most one welcome and a few events wait for a client. The server closes the connection if it reads nothing.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export class Broadcast implements EventHub {
  readonly #clients = new Set<Client>();
  readonly #welcome: () => Buffer;
  readonly #most: number;

  /** @param welcome the events that tell a new client everything */
  constructor(welcome: () => Buffer, mostClients: number) {
    this.#welcome = welcome;
    this.#most = mostClients;
  }

  get size(): number {
    return this.#clients.size;
  }

  add(response: ServerResponse): boolean {
    if (this.#clients.size >= this.#most) return false;
    const client: Client = { response, behind: false };
    this.#clients.add(client);
    response.on("close", () => {
      this.#clients.delete(client);
    });
    response.on("drain", () => {
      if (!client.behind) return;
      client.behind = false;
      response.write(this.#welcome());
    });
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(this.#welcome());
    return true;
  }

  /** Sends an event to all clients that keep up. */
  send(event: string): void {
    const bytes = Buffer.from(event);
    for (const client of this.#clients) {
      const { response } = client;
      if (response.writableLength > MOST_WAITING_BYTES) client.behind = true;
      if (!client.behind) response.write(bytes);
    }
  }

  /** Sends a comment, so that neither side takes the connection for dead. */
  keepAlive(): void {
    for (const { response, behind } of this.#clients)
      if (!behind) response.write(":\n\n");
  }

  /** Ends all connections. */
  close(): void {
    for (const { response } of this.#clients) response.end();
  }
}
