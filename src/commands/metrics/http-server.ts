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
import { placeText, type Place } from "./listen-address.js";

/** What a server puts up with. */
export interface Limits {
  readonly connections: number;
  /** How long a request's header may take to come; the request as a whole, twice that */
  readonly headerMilliseconds: number;
  /** How long a connection may be silent, be it that nobody reads what is written */
  readonly idleMilliseconds: number;
}

/** Scrapers are few and quick; whoever is neither must not keep us from answering them. */
const LIMITS: Limits = {
  connections: 256,
  headerMilliseconds: 5000,
  idleMilliseconds: 30_000,
};

const LONGEST_HEADER_BYTES = 8 * 1024;

/** How long those who read get to finish when the server ends */
const FAREWELL_MILLISECONDS = 1000;

/** What is sent, and the same compressed for those who take that: a table of thousands is tens of megabytes. */
export class Body {
  readonly plain: Buffer;
  #zipped: Promise<Buffer> | undefined;

  constructor(text: string) {
    this.plain = Buffer.from(text);
  }

  /** Is made only once, however many want it. */
  get zipped(): Promise<Buffer> {
    return (this.#zipped ??= promisify<Buffer, ZlibOptions, Buffer>(gzip)(
      this.plain,
      { level: 1 }, // next to nothing is saved by the higher ones
    ));
  }
}

/** What is answered at `/metrics`. */
export interface Answer {
  readonly status: 200 | 503;
  readonly contentType: string;
  readonly body: Body;
}

/** A server that answers at `/metrics`. */
export interface MetricsServer {
  /** Where it listens indeed */
  readonly place: Place;
  /** Comes when it has ended by itself, which is a fault */
  readonly failed: Promise<never>;
  /** Ends it. */
  close(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @param answer makes what `/metrics` answers; it must not fail
 * @throws {CommandError} when it cannot listen there
 */
export async function startServer(
  wanted: Place,
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
  await listening(server, wanted);
  const failed = new Promise<never>((_, reject) => {
    server.on("error", (error) => {
      reject(cannotListen(wanted, error));
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    place: { ...wanted, port },
    failed,
    close: () => closed(server),
  };
}

function listening(server: Server, { host, port }: Place): Promise<void> {
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
    "'ss -ltnp' shows by whom; choose another",
  ],
  EADDRNOTAVAIL: [
    "this machine does not have the address",
    "'ip address' shows those that it has",
  ],
  EACCES: ["permission denied", "ports below 1024 are for root"],
};

function cannotListen(
  place: Place,
  { code = "unknown" }: NodeJS.ErrnoException,
): CommandError {
  const [reason, advice] = REASONS[code] ?? [code];
  return new CommandError(
    `cannot listen at ${placeText(place)}: ${reason}`,
    advice,
  );
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: () => Promise<Answer>,
): Promise<void> {
  const { method = "", url = "", headers } = request;
  request.resume(); // a body is of no interest
  response.on("error", () => undefined); // whoever asked has gone
  const [path] = url.split("?");
  response.setHeader("cache-control", "no-store");
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.setHeader("x-content-type-options", "nosniff");
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    end(response, 405, "only GET and HEAD are answered\n");
  } else if (path === "/") {
    end(response, 200, "ipvsadm: the metrics are at /metrics\n");
  } else if (path !== "/metrics") {
    end(response, 404, "there is nothing but /metrics\n");
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
  // Of a HEAD, the server itself leaves the body out.
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
  }, FAREWELL_MILLISECONDS);
  await end;
  clearTimeout(late);
}
