import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { createSecureContext } from "node:tls";
import { CommandError, UsageError } from "../cli/errors.js";
import { escapeControls } from "../cli/escape.js";
import type { Arguments } from "../cli/parser.js";
import { symbolText } from "../netlink/errno.js";
import { KnownHosts, Token, type Access, type Tls } from "./access.js";
import {
  isLocal,
  parseListenAddress,
  type ListenAddress,
} from "./listen-address.js";

/** Where a server listens, and who may read. */
export interface ServerSettings {
  readonly listen: ListenAddress;
  readonly access: Access;
  /** Whether a token can be seen on the network */
  readonly exposesToken: boolean;
}

/**
 * Reads `--token-file`, `--cert`, `--key` and `--host-name`.
 *
 * @throws {UsageError}
 * @throws {CommandError} a file cannot be read or used
 */
export function readServerSettings(
  given: Arguments,
  listenText: string,
  subcommand: string,
): ServerSettings {
  const listen = parseListenAddress(listenText, subcommand);
  const tls = readTls(given, subcommand);
  const token = readToken(given);
  const names = [hostname(), ...given.list("host-name")];
  return {
    listen,
    access: {
      tls,
      token,
      hosts: "path" in listen ? undefined : new KnownHosts(names, tls?.cert),
    },
    exposesToken: token !== undefined && !tls && !isLocal(listen),
  };
}

/** The shortest token. 16 characters of base64 are 96 bits. */
const SHORTEST_TOKEN = 16;

function readToken(given: Arguments): Token | undefined {
  const file = given.text("token-file");
  if (file === undefined) return undefined;
  const text = fileOf(file).toString().trim();
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(text))
    throw new CommandError(
      `${escapeControls(file)}: expected one line with a token of letters, digits and . _ ~ + / - =`,
      "make one with 'openssl rand -base64 24'",
    );
  if (text.length < SHORTEST_TOKEN)
    throw new CommandError(
      `${escapeControls(file)}: the token is shorter than ${SHORTEST_TOKEN} characters`,
      "make one with 'openssl rand -base64 24'",
    );
  return new Token(text);
}

function readTls(given: Arguments, subcommand: string): Tls | undefined {
  const [cert, key] = [given.text("cert"), given.text("key")];
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new UsageError("--cert and --key go together", subcommand);
  const tls = { cert: fileOf(cert), key: fileOf(key) };
  try {
    createSecureContext(tls);
    const certificate = new X509Certificate(tls.cert);
    if (!certificate.checkPrivateKey(createPrivateKey(tls.key)))
      throw new Error("the key belongs to another certificate");
  } catch (error) {
    throw new CommandError(
      `cannot use ${escapeControls(cert)} and ${escapeControls(key)}: ${escapeControls((error as Error).message)}`,
      "they must be a certificate and its key, in PEM",
    );
  }
  return tls;
}

function fileOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CommandError(
      `cannot read ${escapeControls(path)}: ${symbolText((error as NodeJS.ErrnoException).code ?? "")}`,
    );
  }
}
