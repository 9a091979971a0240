import type {
  ConfigurationBuilder,
  SourcePosition,
} from "../configuration-builder.js";
import type { SourceLine } from "./source-lines.js";

export interface Word {
  /** Without quotes */
  readonly text: string;
  readonly at: SourcePosition;
}

/** A keyword with its arguments, and with a block if one follows. */
export interface Statement {
  readonly keyword: string;
  readonly at: SourcePosition;
  readonly arguments: readonly Word[];
  /** Undefined if there is no block */
  block: Statement[] | undefined;
  /** The condition that must be true, such as `@main` */
  readonly condition: string | undefined;
}

const TOKEN = /"([^"]*)"?|[{}]|(?:\$\{[^}\s]*\}|[^\s{}"])+/g;

/**
 * Parses lines into statements and blocks.
 *
 * @param isComplete whether the lines are all lines; otherwise blocks may stay open
 */
export function parseStatements(
  lines: readonly SourceLine[],
  builder: ConfigurationBuilder,
  isComplete: boolean,
): Statement[] {
  const parser = new StatementParser(builder);
  for (const line of lines) parser.addLine(line);
  if (isComplete) parser.checkClosed();
  return parser.statements;
}

class StatementParser {
  readonly #builder: ConfigurationBuilder;
  readonly statements: Statement[] = [];
  /** The open blocks, with their statements */
  readonly #open: { readonly statement: Statement; block: Statement[] }[] = [];

  constructor(builder: ConfigurationBuilder) {
    this.#builder = builder;
  }

  addLine({ text, line, column, included, condition }: SourceLine): void {
    let words: Word[] = [];
    const endStatement = () => {
      const [first, ...rest] = words;
      words = [];
      if (!first) return;
      this.#block.push({
        keyword: first.text,
        at: first.at,
        arguments: rest,
        block: undefined,
        condition,
      });
    };
    for (const match of text.matchAll(TOKEN)) {
      const at = { line, column: column ?? match.index + 1, included };
      if (match[0] === "{") {
        endStatement();
        this.#openBlock(at);
      } else if (match[0] === "}") {
        endStatement();
        this.#closeBlock(at);
      } else words.push({ text: match[1] ?? match[0], at });
    }
    endStatement();
  }

  checkClosed(): void {
    const [outermost] = this.#open;
    if (outermost)
      this.#builder.error(
        outermost.statement.at,
        "braces",
        `the block of ${outermost.statement.keyword} is not closed`,
        'add a "}"',
      );
  }

  get #block(): Statement[] {
    return this.#open.at(-1)?.block ?? this.statements;
  }

  /** The brace may follow on a line of its own. */
  #openBlock(at: SourcePosition): void {
    const statement = this.#block.at(-1);
    if (statement && !statement.block) {
      const block: Statement[] = [];
      statement.block = block;
      this.#open.push({ statement, block });
      return;
    }
    this.#builder.error(at, "braces", 'unexpected "{"', "remove it");
    const block: Statement[] = [];
    this.#open.push({
      statement: {
        keyword: "{",
        at,
        arguments: [],
        block,
        condition: undefined,
      },
      block,
    });
  }

  #closeBlock(at: SourcePosition): void {
    if (!this.#open.pop())
      this.#builder.error(at, "braces", 'unexpected "}"', "remove it");
  }
}
