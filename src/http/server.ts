import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Access } from "./access.js";
import { lineAnswer, PLAIN_TEXT, type Answer } from "./body.js";
import type { EventHub } from "./event-hub.js";
import type { ListenAddress } from "./listen-address.js";
import { cannotListen, listenOn } from "./listening.js";
import { parseTarget, type RequestTarget } from "./request-target.js";

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

/** Makes the response to a request. It must not throw */
export type Respond = (query: URLSearchParams) => Promise<Answer> | Answer;

/** What a server serves, by paths. */
export interface Site {
  readonly pages: Readonly<Record<string, Respond>>;
  readonly events?: Readonly<Record<string, EventHub>>;
  /** Where to look instead, for paths that do not exist */
  readonly hint: string;
}

/** An HTTP server. */
export interface HttpServer {
  /** Where it listens, with the actual port */
  readonly address: ListenAddress;
  /** Rejected when the server fails */
  readonly failed: Promise<never>;
  /** Stops the server. */
  close(): Promise<void>;
}

/** Everyone who can connect may read, by any host name. */
const OPEN: Access = { tls: undefined, token: undefined, hosts: undefined };

/**
 * Starts an HTTP server that answers GET and HEAD.
 *
 * @throws {CommandError} the address, the port or the path cannot be used
 */
export async function startServer(
  requested: ListenAddress,
  site: Site,
  access = OPEN,
  limits = LIMITS,
): Promise<HttpServer> {
  const { connections, headerMilliseconds, idleMilliseconds } = limits;
  const options = {
    connectionsCheckingInterval: headerMilliseconds / 5,
    headersTimeout: headerMilliseconds,
    keepAliveTimeout: idleMilliseconds,
    maxHeaderSize: LONGEST_HEADER_BYTES,
    requestTimeout: 2 * headerMilliseconds,
  };
  const listener: RequestListener = (request, response) => {
    respond(request, response, site, access).catch(() => {
      response.destroy(); // A client must not wait because of a bug.
    });
  };
  const server: Server = access.tls
    ? createTlsServer(
        {
          ...options,
          ...access.tls,
          handshakeTimeout: headerMilliseconds,
          minVersion: "TLSv1.2",
        },
        listener,
      )
    : createServer(options, listener);
  server.maxConnections = connections;
  server.timeout = idleMilliseconds;
  const address = await listenOn(server, requested);
  const failed = new Promise<never>((_, reject) => {
    server.on("error", (error) => {
      reject(cannotListen(requested, error));
    });
  });
  return { address, failed, close: () => closed(server) };
}

/** No response may be cached, shown inside another site, or taken for another type. The page allows its own script. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "content-type": PLAIN_TEXT,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  site: Site,
  access: Access,
): Promise<void> {
  const { method = "", url = "", headers } = request;
  request.resume(); // Ignore the body.
  response.on("error", () => undefined); // The client is gone.
  for (const [name, value] of Object.entries(HEADERS))
    response.setHeader(name, value);
  const target = parseTarget(url, headers.host);
  const refusal = refusalOf(request, target, access);
  if (!target || refusal) {
    const [status, reason, extra = {}] = refusal ?? MALFORMED;
    for (const [name, value] of Object.entries(extra))
      response.setHeader(name, value);
    end(response, status, `${reason}\n`);
    return;
  }
  const hub = own(site.events, target.path);
  if (hub) {
    follow(response, method, hub);
    return;
  }
  const page = own(site.pages, target.path);
  const answer = page
    ? await page(target.query)
    : lineAnswer(404, `not found: ${site.hint}`);
  await send(response, answer, headers["accept-encoding"]);
}

type Refusal = readonly [
  status: number,
  reason: string,
  headers?: Readonly<Record<string, string | string[]>>,
];

const MALFORMED: Refusal = [400, "malformed request target"];

/** Why a request is refused; undefined if it is not. */
function refusalOf(
  { method = "", headers }: IncomingMessage,
  target: RequestTarget | undefined,
  { hosts, token }: Access,
): Refusal | undefined {
  if (!target) return MALFORMED;
  if (hosts?.has(target.host) === false)
    return [421, "unknown host name: see --host-name"];
  if (token?.isIn(headers.authorization) === false)
    return [
      401,
      "the token is missing or wrong",
      {
        "www-authenticate": [
          'Basic realm="ipvsadm", charset="UTF-8"',
          'Bearer realm="ipvsadm"',
        ],
      },
    ];
  if (method !== "GET" && method !== "HEAD")
    return [405, "only GET and HEAD are supported", { allow: "GET, HEAD" }];
  return undefined;
}

function own<T>(
  entries: Readonly<Record<string, T>> | undefined,
  path: string,
): T | undefined {
  return entries && Object.hasOwn(entries, path) ? entries[path] : undefined;
}

function follow(response: ServerResponse, method: string, hub: EventHub): void {
  if (method === "HEAD") {
    response.writeHead(200, { "content-type": "text/event-stream" }).end();
    return;
  }
  if (hub.add(response)) return;
  response.setHeader("retry-after", "10");
  end(response, 503, "too many clients read events\n");
}

async function send(
  response: ServerResponse,
  { status, contentType, body, headers = {} }: Answer,
  accepted: string | string[] | undefined,
): Promise<void> {
  const zip = takesGzip(accepted);
  const bytes = zip ? await body.zipped : body.plain;
  response.setHeader("content-type", contentType);
  response.setHeader("vary", "accept-encoding");
  if (zip) response.setHeader("content-encoding", "gzip");
  for (const [name, value] of Object.entries(headers))
    response.setHeader(name, value);
  end(response, status, bytes);
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
