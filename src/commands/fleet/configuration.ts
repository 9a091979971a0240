import { readFileSync } from "node:fs";
import { CommandError } from "../../cli/errors.js";
import { escapeControls } from "../../cli/escape.js";
import type { Arguments } from "../../cli/parser.js";
import {
  ErrorCollector,
  type DocumentValue,
} from "../../document/document-value.js";
import { parseYaml } from "../../document/parse-yaml.js";
import { MalformedDocument } from "../../document/parsed-document.js";
import { errnoText } from "../../netlink/errno.js";
import { CONFIGURATION_FILE, DEFAULT_PREFIX } from "./connection-options.js";

/** The settings of this machine's director. */
export interface DirectorConfiguration {
  readonly name?: string | undefined;
  readonly table?: string | undefined;
  /** `site=fra` */
  readonly labels: readonly string[];
}

/** How to reach etcd, from the options and the configuration file. Secrets are only in files. */
export interface FleetConfiguration {
  readonly endpoints: readonly string[];
  readonly cacert?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly prefix: string;
  readonly director: DirectorConfiguration;
}

/** The settings of a file. */
type FileSettings = {
  readonly [Name in keyof FleetConfiguration]?:
    FleetConfiguration[Name] | undefined;
};

const LONGEST_TEXT = 4096;

/**
 * Reads the options and the configuration file. Options win.
 *
 * @throws {CommandError} the file cannot be read, or has errors
 */
export function readConfiguration(given: Arguments): FleetConfiguration {
  const path = given.text("config");
  const file = readSettings(path ?? CONFIGURATION_FILE, path !== undefined);
  const endpoints = given.list("endpoints");
  return withDefaults({
    endpoints: endpoints.length > 0 ? endpoints : file.endpoints,
    cacert: given.text("cacert") ?? file.cacert,
    cert: given.text("cert") ?? file.cert,
    key: given.text("key") ?? file.key,
    user: given.text("user") ?? file.user,
    passwordFile: given.text("password-file") ?? file.passwordFile,
    prefix: given.text("prefix") ?? file.prefix,
    director: file.director,
  });
}

/** Reads a configuration file that must exist. @throws {CommandError} it cannot be read, or has errors */
export function readConfigurationFile(path: string): FleetConfiguration {
  return withDefaults(readSettings(path, true));
}

function withDefaults({
  endpoints = [],
  prefix = DEFAULT_PREFIX,
  director = { labels: [] },
  ...rest
}: FileSettings): FleetConfiguration {
  const all = endpoints.length > 0 ? endpoints : ["http://127.0.0.1:2379"];
  return { ...rest, endpoints: all.map(endpointUrl), prefix, director };
}

/** @throws {CommandError} the text is no URL of a member */
function endpointUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isMember =
    url !== undefined &&
    (url.protocol === "http:" || url.protocol === "https:") &&
    url.pathname === "/" &&
    url.username === "";
  if (isMember) return url.origin;
  throw new CommandError(
    `endpoint ${escapeControls(text)}: expected a URL such as https://10.0.0.1:2379`,
  );
}

/** @param required false: a missing file has no settings */
function readSettings(path: string, required: boolean): FileSettings {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && !required) return {};
    throw new CommandError(
      `cannot read ${escapeControls(path)}: ${errno === undefined ? String(code) : errnoText(Math.abs(errno))}`,
    );
  }
  try {
    return parseSettings(text);
  } catch (error) {
    if (!(error instanceof MalformedDocument)) throw error;
    const [first] = error.errors;
    const where = first ? `:${first.line}:${first.column}: ` : ": ";
    const subject = first && first.path !== "" ? `${first.path}: ` : "";
    throw new CommandError(
      `${escapeControls(path)}${where}${subject}${first?.message ?? error.message}`,
      first?.advice,
    );
  }
}

/** @throws {MalformedDocument} */
export function parseSettings(text: string): FileSettings {
  const errors = new ErrorCollector(parseYaml(text));
  const fields = errors.root.fields([
    "endpoints",
    "cacert",
    "cert",
    "key",
    "user",
    "passwordFile",
    "prefix",
    "director",
  ]);
  const settings: FileSettings = {
    endpoints: texts(fields.endpoints),
    cacert: optionalText(fields.cacert),
    cert: optionalText(fields.cert),
    key: optionalText(fields.key),
    user: optionalText(fields.user),
    passwordFile: optionalText(fields.passwordFile),
    ...prefixOf(fields.prefix),
    ...directorOf(fields.director),
  };
  if (errors.count > 0) throw new MalformedDocument(errors.errors);
  return settings;
}

function prefixOf(value: DocumentValue): Pick<FileSettings, "prefix"> {
  const prefix = optionalText(value);
  return prefix === undefined ? {} : { prefix };
}

function directorOf(value: DocumentValue): Pick<FileSettings, "director"> {
  if (!value.exists) return {};
  const { name, table, labels } = value.fields(["name", "table", "labels"]);
  return {
    director: {
      name: optionalText(name),
      table: optionalText(table),
      labels: texts(labels),
    },
  };
}

function optionalText(value: DocumentValue): string | undefined {
  return value.exists ? value.name(LONGEST_TEXT) : undefined;
}

function texts(value: DocumentValue): string[] {
  return value.items().flatMap((item) => item.name(LONGEST_TEXT) ?? []);
}
