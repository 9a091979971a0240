import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { gzip, type ZlibOptions } from "node:zlib";
import { CommandError } from "../../cli/errors.js";
import { listenAddressText, type ListenAddress } from "./listen-address.js";

/** The limits of a server. */
export interface Limits {
  readonly connections: number;
  /** How long the header of a request may take. A whole request may take twice as long */
  readonly headerMilliseconds: number;
  /** How long a connection may be idle, even if the client does not read the response */
  readonly idleMilliseconds: number;
}

/** Scrapers are few and fast. Other clients must not block them. */
const LIMITS: Limits = {
  connections: 256,
  headerMilliseconds: 5000,
  idleMilliseconds: 30_000,
};

const LONGEST_HEADER_BYTES = 8 * 1024;

/** How long clients may finish reading when the server closes. */
const CLOSE_MILLISECONDS = 1000;

/** The body of a response, plain and compressed. For thousands of services, it is tens of megabytes. */
export class Body {
  readonly plain: Buffer;
  #zipped: Promise<Buffer> | undefined;

  constructor(text: string) {
    this.plain = Buffer.from(text);
  }

  /** Compressed only once, for any number of clients. */
  get zipped(): Promise<Buffer> {
    return (this.#zipped ??= promisify<Buffer, ZlibOptions, Buffer>(gzip)(
      this.plain,
      { level: 1 }, // Higher levels save almost nothing.
    ));
  }
}

/** The response at `/metrics`. */
export interface Answer {
  readonly status: 200 | 503;
  readonly contentType: string;
  readonly body: Body;
}

/** An HTTP server that serves `/metrics`. */
export interface MetricsServer {
  /** Where it listens, with the actual port */
  readonly address: ListenAddress;
  /** Rejected when the server fails */
  readonly failed: Promise<never>;
  /** Stops the server. */
  close(): Promise<void>;
}

/**
 * Starts an HTTP server.
 *
 * @param answer returns the response at `/metrics`. It must not throw
 * @throws {CommandError} the address or port cannot be used
 */
export async function startServer(
  requested: ListenAddress,
  answer: () => Promise<Answer>,
  limits = LIMITS,
): Promise<MetricsServer> {
  const { connections, headerMilliseconds, idleMilliseconds } = limits;
  const server = createServer(
    {
      connectionsCheckingInterval: headerMilliseconds / 5,
      headersTimeout: headerMilliseconds,
      keepAliveTimeout: idleMilliseconds,
      maxHeaderSize: LONGEST_HEADER_BYTES,
      requestTimeout: 2 * headerMilliseconds,
    },
    (request, response) => {
      void respond(request, response, answer);
    },
  );
  server.maxConnections = connections;
  server.timeout = idleMilliseconds;
  await listening(server, requested);
  const failed = new Promise<never>((_, reject) => {
    server.on("error", (error) => {
      reject(cannotListen(requested, error));
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: { ...requested, port },
    failed,
    close: () => closed(server),
  };
}

function listening(
  server: Server,
  { host, port }: ListenAddress,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      reject(cannotListen({ host, port }, error));
    };
    server.once("error", fail);
    server.listen({ host, port }, () => {
      server.off("error", fail);
      resolve();
    });
  });
}

const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  EADDRINUSE: [
    "the port is in use",
    "'ss -ltnp' shows the program; choose another port",
  ],
  EADDRNOTAVAIL: [
    "this machine does not have the address",
    "'ip address' shows its addresses",
  ],
  EACCES: ["permission denied", "ports below 1024 need root"],
};

function cannotListen(
  address: ListenAddress,
  { code = "unknown" }: NodeJS.ErrnoException,
): CommandError {
  const [reason, advice] = REASONS[code] ?? [code];
  return new CommandError(
    `cannot listen on ${listenAddressText(address)}: ${reason}`,
    advice,
  );
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: () => Promise<Answer>,
): Promise<void> {
  const { method = "", url = "", headers } = request;
  request.resume(); // Ignore the body.
  response.on("error", () => undefined); // The client is gone.
  const [path] = url.split("?");
  response.setHeader("cache-control", "no-store");
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.setHeader("x-content-type-options", "nosniff");
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    end(response, 405, "only GET and HEAD are supported\n");
  } else if (path === "/") {
    end(response, 200, "ipvsadm: the metrics are at /metrics\n");
  } else if (path !== "/metrics") {
    end(response, 404, "not found: the metrics are at /metrics\n");
  } else {
    const { status, contentType, body } = await answer();
    const zip = takesGzip(headers["accept-encoding"]);
    response.setHeader("content-type", contentType);
    response.setHeader("vary", "accept-encoding");
    if (zip) response.setHeader("content-encoding", "gzip");
    end(response, status, zip ? await body.zipped : body.plain);
  }
}

/** @see RFC 9110, section 12.5.3 */
function takesGzip(accepted: string | string[] = ""): boolean {
  return [accepted]
    .flat()
    .join(",")
    .split(",")
    .some((one) => /^\s*gzip\s*(;\s*q=(1|0\.0*[1-9]).*)?$/i.test(one));
}

function end(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
): void {
  response.writeHead(status, { "content-length": Buffer.byteLength(body) });
  // For HEAD, Node.js itself omits the body.
  response.end(body);
}

async function closed(server: Server): Promise<void> {
  const end = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  const late = setTimeout(() => {
    server.closeAllConnections();
  }, CLOSE_MILLISECONDS);
  await end;
  clearTimeout(late);
}
