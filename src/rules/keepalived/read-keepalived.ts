import { INET, INET6, parseAddress, type Family } from "../../ipvs/address.js";
import { ConfigurationBuilder } from "../configuration-builder.js";
import type { FindIncluded } from "../included-files.js";
import type { RuleFile } from "../rule-file.js";
import { parseAddressRange } from "../address-range.js";
import { SourceReader } from "./source-lines.js";
import { StatementReader } from "./statement-reader.js";
import { parseStatements, type Statement } from "./statements.js";
import { readSyncDaemon, readTimeouts } from "./sync-daemon.js";
import { addServices, type Entry } from "./virtual-services.js";
import { VirtualServer } from "./virtual-server.js";

const U32 = 0xffffffff;

/**
 * Reads the configuration of keepalived: what it makes of the IPVS table while all checks succeed.
 *
 * Checks, VRRP and everything else are ignored. What keepalived ignores with a message is a warning.
 *
 * @param text decoded
 * @param find undefined if included files cannot be read
 * @see keepalived.conf(5)
 */
export function readKeepalived(
  name: string,
  text: string,
  find?: FindIncluded,
): RuleFile {
  const builder = new ConfigurationBuilder("keepalived");
  const source = new SourceReader(builder, find);
  source.readFile(name, text);
  const statements = parseStatements(source.lines, builder, source.isComplete);
  new ConfigurationReader(statements, builder).read();
  return builder.build(name, text);
}

class ConfigurationReader {
  readonly #statements: readonly Statement[];
  readonly #builder: ConfigurationBuilder;
  readonly #reader: StatementReader;
  readonly #groups = new Map<string, readonly Entry[]>();

  constructor(statements: readonly Statement[], builder: ConfigurationBuilder) {
    this.#statements = statements;
    this.#builder = builder;
    this.#reader = new StatementReader(builder);
  }

  read(): void {
    // A group may follow the virtual_server that uses it.
    for (const group of this.#all("virtual_server_group"))
      this.#addGroup(group);
    for (const server of this.#all("virtual_server"))
      this.#addVirtualServer(server);
    const globals = this.#all("global_defs").flatMap(
      ({ block }) => block ?? [],
    );
    for (const statement of globals)
      if (statement.keyword === "lvs_sync_daemon") {
        if (this.#reader.applies(statement))
          readSyncDaemon(statement, this.#all("vrrp_instance"), this.#reader);
      } else if (statement.keyword === "lvs_timeouts")
        if (this.#reader.applies(statement))
          readTimeouts(statement, this.#reader);
  }

  /** The blocks with a keyword. Blocks of VRRP and of global definitions may have conditions that do not matter. */
  #all(keyword: string): Statement[] {
    return this.#statements.filter(
      (statement) =>
        statement.keyword === keyword &&
        (!keyword.startsWith("virtual_server") ||
          this.#reader.applies(statement)),
    );
  }

  #addGroup(group: Statement): void {
    const name = this.#reader.word(group, "the name of the group");
    if (!name) return;
    const entries = (group.block ?? []).flatMap((entry) =>
      this.#reader.applies(entry) ? this.#groupEntries(entry) : [],
    );
    if (this.#groups.has(name.text))
      this.#builder.error(
        name.at,
        "duplicate",
        `duplicate virtual_server_group ${name.text}`,
        "remove one of the two",
      );
    this.#groups.set(name.text, entries);
  }

  /** Reads `ADDRESS [PORT]`, `RANGE [PORT]` or `fwmark NUMBER [inet|inet6]`. */
  #groupEntries(statement: Statement): Entry[] {
    const reader = this.#reader;
    const { keyword, at } = statement;
    const [portWord] = statement.arguments;
    if (keyword === "fwmark") {
      const mark = reader.number(statement, 1, U32);
      const family = this.#familyOfMark(statement);
      return mark === undefined ? [] : [{ firewallMark: mark, family, at }];
    }
    const addresses = parseAddressRange(keyword);
    const port = portWord ? reader.numberOf(portWord, 0, 65535) : 0;
    if (!addresses)
      reader.invalid(
        { text: keyword, at },
        "an address, a range of at most 65536 addresses, or fwmark",
      );
    if (!addresses || port === undefined) return [];
    return addresses.map((address) => ({ address, port, at }));
  }

  #familyOfMark({ arguments: [, word] }: Statement): Family | undefined {
    if (!word) return undefined;
    if (word.text === "inet") return INET;
    if (word.text === "inet6") return INET6;
    this.#reader.invalid(word, "inet or inet6");
    return undefined;
  }

  #addVirtualServer(statement: Statement): void {
    const reader = this.#reader;
    const entries = this.#entriesOf(statement);
    const server = new VirtualServer(statement, reader);
    const [first] = statement.arguments;
    if (entries)
      addServices(server, entries, first?.text === "group", this.#builder);
  }

  /** What a virtual_server stands for; undefined if that is not valid. */
  #entriesOf(statement: Statement): readonly Entry[] | undefined {
    const reader = this.#reader;
    const expected = "an address, fwmark NUMBER or group NAME";
    const [kind, value] = statement.arguments;
    if (!kind) {
      reader.word(statement, expected);
      return undefined;
    }
    const { at } = kind;
    switch (kind.text) {
      case "fwmark": {
        const mark = value && reader.numberOf(value, 1, U32);
        if (!value) reader.invalid(kind, "fwmark NUMBER");
        return mark === undefined
          ? undefined
          : [{ firewallMark: mark, family: undefined, at }];
      }
      case "group": {
        const entries = value && this.#groups.get(value.text);
        if (!value) reader.invalid(kind, "group NAME");
        else if (!entries)
          reader.invalid(value, "the name of a virtual_server_group");
        return entries;
      }
      default: {
        const address = parseAddress(kind.text);
        const port = value ? reader.numberOf(value, 0, 65535) : 0;
        if (!address) reader.invalid(kind, expected);
        return !address || port === undefined
          ? undefined
          : [{ address, port, at }];
      }
    }
  }
}
