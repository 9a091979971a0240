import type { ConfigurationBuilder } from "../configuration-builder.js";
import type { FindIncluded } from "../included-files.js";
import {
  listValues,
  sequenceValues,
  type Variables,
} from "./repeated-lines.js";

/** A line without comments, includes and definitions, as keepalived reads it. */
export interface SourceLine {
  readonly text: string;
  /** The line of the file; of an included file, the line of the include */
  readonly line: number;
  /** The column of every word of the text; undefined if the text has the columns of the file */
  readonly column: number | undefined;
  /** The included file with the line, such as `conf.d/web.conf:3` */
  readonly included: string | undefined;
  /** The condition that must be true, such as `@main` */
  readonly condition: string | undefined;
}

/** Where a line comes from, and what applies to it. */
type Source = Omit<SourceLine, "text"> & {
  readonly file: string;
  readonly depth: number;
};

interface Definition {
  readonly lines: readonly string[];
  readonly condition: string | undefined;
}

/** Definitions and includes can refer to each other in circles. */
const MAXIMUM_DEPTH = 500;
const MAXIMUM_LINES = 300_000;

const CONDITION = /^\s*(@\^?\S+)\s*(.*)$/;
const DEFINITION = /^\s*\$([A-Za-z_]\w*)=(.*)$/;
const SEQUENCE = /^\s*~SEQ(x?)\(([^)]*)\)\s*(.*)$/;
const LIST = /^\s*~LST\(([^)]*)\)\s*(.*)$/;
const INCLUDE = /^\s*include([rmwba]?)\s+(\S.*)$/;
const PARAMETER = /\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)(?=\s|$)/g;

/**
 * Reads the lines of a configuration of keepalived: removes comments, and resolves definitions, sequences, lists and
 * includes.
 *
 * @see keepalived.conf(5), "Conditional configuration and configuration id" and the sections after it
 */
export class SourceReader {
  readonly lines: SourceLine[] = [];
  readonly #builder: ConfigurationBuilder;
  readonly #find: FindIncluded | undefined;
  readonly #definitions = new Map<string, Definition>();
  /** How many lines were read, before and after everything was resolved */
  #count = 0;
  #isTooLong = false;

  /** Whether all lines were read */
  get isComplete(): boolean {
    return !this.#isTooLong;
  }

  /** @param find undefined if included files cannot be read */
  constructor(builder: ConfigurationBuilder, find: FindIncluded | undefined) {
    this.#builder = builder;
    this.#find = find;
  }

  /** Reads the file itself. */
  readFile(name: string, text: string): void {
    this.#read(name, text, undefined);
  }

  /** @param include the include line; undefined for the file itself */
  #read(file: string, text: string, include: Source | undefined): void {
    const rows = text.split("\n").map(withoutComment);
    for (let i = 0; i < rows.length && !this.#isTooLong; i++) {
      const row = rows[i] ?? "";
      const source: Source = include
        ? { ...include, file, included: `${file}:${i + 1}` }
        : {
            file,
            line: i + 1,
            column: undefined,
            included: undefined,
            condition: undefined,
            depth: 0,
          };
      const more: string[] = [];
      if (isDefinition(row))
        for (let last = row; last.endsWith("\\"); more.push(last))
          last = rows[++i] ?? "";
      this.#readLine(row, more, source);
    }
  }

  /** @param more the other lines of a definition */
  #readLine(text: string, more: readonly string[], source: Source): void {
    if (this.#isTooLong || text.trim() === "") return;
    if (source.depth > MAXIMUM_DEPTH || ++this.#count > MAXIMUM_LINES) {
      this.#isTooLong = true;
      this.#builder.error(
        positionOf(source, text),
        "too-many-lines",
        "definitions and includes produce too many lines",
        "look for a definition or a file that contains itself",
      );
      return;
    }
    const [, condition, conditional = ""] = CONDITION.exec(text) ?? [];
    if (condition !== undefined) {
      this.#readLine(conditional, more, {
        ...shifted(source, text),
        condition,
      });
      return;
    }
    const [, name, value = ""] = DEFINITION.exec(text) ?? [];
    if (name !== undefined) {
      const lines = [value, ...more].map((line) => line.replace(/\\$/, ""));
      const isSplit = more.length > 0 && value.trim() === "\\";
      this.#definitions.set(name, {
        lines: isSplit ? lines.slice(1) : lines,
        condition: source.condition,
      });
      return;
    }
    if (this.#repeat(text, source) || this.#include(text, source)) return;
    this.#resolve(text, source);
  }

  /** Reads a line of ~SEQ or ~LST as often as it says. @returns false if the line is none */
  #repeat(text: string, source: Source): boolean {
    const [, hexadecimal, range = "", sequence = ""] =
      SEQUENCE.exec(text) ?? [];
    const [, list = "", listed = ""] = LIST.exec(text) ?? [];
    const isSequence = hexadecimal !== undefined;
    if (!isSequence && !LIST.test(text)) return false;
    const values = isSequence
      ? sequenceValues(range, hexadecimal === "x")
      : listValues(list);
    if (!values)
      this.#builder.error(
        positionOf(source, text),
        "form",
        isSequence
          ? "malformed ~SEQ: expected ~SEQ(NAME, START, STEP, END)"
          : "malformed ~LST: expected ~LST(NAME, VALUE, ...)",
      );
    for (const variables of values ?? []) {
      this.#define(variables);
      this.#readLine(isSequence ? sequence : listed, [], {
        ...shifted(source, text),
        depth: source.depth + 1,
      });
    }
    return true;
  }

  #define(variables: Variables): void {
    for (const [name, value] of variables)
      this.#definitions.set(name, { lines: [value], condition: undefined });
  }

  /** Reads the files of an include line. @returns false if the line is none */
  #include(text: string, source: Source): boolean {
    const [, variant, pattern = ""] = INCLUDE.exec(text.trimEnd()) ?? [];
    if (variant === undefined) return false;
    const at = positionOf(source, text);
    if (!this.#find) {
      this.#builder.error(
        at,
        "include",
        "included files are read only if the configuration is a file",
        "give the name of the file",
      );
      return true;
    }
    const found = this.#find(pattern.replace(/^"(.*)"$/, "$1"), source.file);
    if (found.length === 0)
      if (variant === "")
        this.#builder.warn(at, "include", `no file matches ${pattern}`);
      else this.#builder.error(at, "include", `no file matches ${pattern}`);
    for (const { name, text: content } of found)
      if (content === undefined)
        this.#builder.error(at, "include", `cannot read ${name}`);
      else
        this.#read(name, content, {
          ...source,
          column: source.column ?? at.column,
          depth: source.depth + 1,
        });
    return true;
  }

  /** Replaces parameters, and reads the result again, because a value may be a condition, a definition or several lines. */
  #resolve(text: string, source: Source): void {
    for (const match of text.matchAll(PARAMETER)) {
      const definition = this.#definitions.get(match[1] ?? match[2] ?? "");
      if (!definition) continue;
      const before = text.slice(0, match.index);
      const after = text.slice(match.index + match[0].length);
      const resolved: Source = {
        ...shifted(source, text),
        condition: source.condition ?? definition.condition,
        depth: source.depth + 1,
      };
      const { lines } = definition;
      lines.forEach((line, i) => {
        const start = i === 0 ? before : "";
        const end = i === lines.length - 1 ? after : "";
        this.#readLine(start + line + end, [], resolved);
      });
      return;
    }
    const { line, column, included, condition } = source;
    this.lines.push({ text, line, column, included, condition });
  }
}

/** Whether a line defines a parameter; a definition can continue on the next lines. */
function isDefinition(text: string): boolean {
  return DEFINITION.test(CONDITION.exec(text)?.[2] ?? text);
}

/** A source whose text no longer has the columns of the file. */
function shifted(source: Source, text: string): Source {
  return { ...source, column: positionOf(source, text).column };
}

function positionOf({ line, column, included }: Source, text: string) {
  return { line, column: column ?? text.search(/\S|$/) + 1, included };
}

/** Comments begin with # or !, anywhere outside of quotes. */
function withoutComment(text: string): string {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') quoted = !quoted;
    else if (!quoted && (character === "#" || character === "!"))
      return text.slice(0, i).trimEnd();
  }
  return text.trimEnd();
}
