import type { Daemon, ServerKey, Timeouts } from "../ipvs/model.js";
import type { ServerRule, ServiceRule } from "../ipvs/table.js";
import { byPosition } from "./finding-positions.js";
import type { HealthChecker, ServerCheck } from "./health-checks.js";
import type {
  Part,
  Position,
  Rule,
  RuleFile,
  RuleFinding,
} from "./rule-file.js";
import { tableErrors } from "./table-errors.js";
import { TextLines } from "./text-lines.js";

/** A position in the file, or in a file that it includes: then it is that of the include line. */
export interface SourcePosition extends Position {
  /** The included file with the line, such as `conf.d/web.conf:3` */
  readonly included?: string | undefined;
}

export type PartPositions = Readonly<Partial<Record<Part, SourcePosition>>>;

interface Located {
  readonly at: SourcePosition;
  readonly parts: PartPositions;
}

/** Collects what the configuration of a health checker contains: the table, the checks, and all findings. */
export class ConfigurationBuilder {
  readonly #program: HealthChecker;
  readonly #errors: RuleFinding[] = [];
  readonly #warnings: RuleFinding[] = [];
  readonly #located = new Map<Rule, Located>();
  readonly #invalid = new Set<Rule>();
  readonly #incomplete = new Set<Rule>();
  readonly #services: ServiceRule[] = [];
  readonly #checks = new Map<ServerRule, ServerCheck>();
  readonly #fallbacks = new Map<ServiceRule, ServerKey>();
  #timeouts: Timeouts | undefined;
  #daemons: readonly Daemon[] | undefined;
  #vrrpDaemons: readonly Daemon[] | undefined;

  constructor(program: HealthChecker) {
    this.#program = program;
  }

  get errorCount(): number {
    return this.#errors.length;
  }

  error(
    at: SourcePosition,
    id: string,
    message: string,
    advice?: string,
  ): void {
    this.#errors.push(findingAt(at, id, message, advice));
  }

  warn(at: SourcePosition, id: string, message: string, advice?: string): void {
    this.#warnings.push(findingAt(at, id, message, advice));
  }

  /** @param incomplete whether real servers are missing, because they have errors */
  addService(
    service: ServiceRule,
    at: SourcePosition,
    parts: PartPositions,
    incomplete: boolean,
  ): void {
    this.#services.push(service);
    this.#located.set(service, { at, parts });
    if (incomplete) this.#incomplete.add(service);
  }

  locateServer(
    server: ServerRule,
    at: SourcePosition,
    parts: PartPositions,
  ): void {
    this.#located.set(server, { at, parts });
  }

  addCheck(server: ServerRule, check: ServerCheck): void {
    this.#checks.set(server, check);
  }

  addFallback(service: ServiceRule, fallback: ServerKey): void {
    this.#fallbacks.set(service, fallback);
  }

  markInvalid(rule: Rule): void {
    this.#invalid.add(rule);
  }

  setTimeouts(timeouts: Timeouts, at: SourcePosition): void {
    this.#timeouts = timeouts;
    this.#located.set(timeouts, { at, parts: {} });
  }

  /** @param roles both roles of a daemon whose role VRRP chooses; undefined if VRRP chooses none */
  setDaemons(
    daemons: readonly Daemon[],
    at: SourcePosition,
    parts: PartPositions,
    roles: readonly Daemon[] | undefined,
  ): void {
    this.#daemons = daemons;
    this.#vrrpDaemons = roles;
    for (const daemon of daemons) this.#located.set(daemon, { at, parts });
  }

  /** @param text the configuration, decoded */
  build(name: string, text: string): RuleFile {
    const lines = new TextLines(text);
    const file = {
      name,
      format: this.#program,
      table: {
        services: this.#services,
        ...(this.#timeouts && { timeouts: this.#timeouts }),
        ...(this.#daemons && { daemons: this.#daemons }),
      },
      textWarnings: [...this.#warnings, ...this.#emptyWarning()],
      invalid: this.#invalid,
      incomplete: this.#incomplete,
      positionOf: (rule: Rule, part?: Part) => this.#positionOf(rule, part),
      pathOf: (rule: Rule, part?: Part) =>
        this.#positionOf(rule, part)?.included,
      line: (number: number) => lines.line(number),
      healthChecks: {
        program: this.#program,
        servers: this.#checks,
        fallbacks: this.#fallbacks,
      },
      ...(this.#vrrpDaemons && { vrrpDaemons: this.#vrrpDaemons }),
    };
    return {
      ...file,
      errors: [...this.#errors, ...tableErrors(file)].sort(byPosition),
    };
  }

  #positionOf(rule: Rule, part?: Part): SourcePosition | undefined {
    const located = this.#located.get(rule);
    return (part && located?.parts[part]) ?? located?.at;
  }

  *#emptyWarning(): Generator<RuleFinding> {
    if (this.#services.length > 0 || this.#errors.length > 0) return;
    yield findingAt(
      { line: 1, column: 1 },
      "says-nothing",
      "the file contains no virtual services",
      `check that this is the file that ${this.#program} reads`,
    );
  }
}

function findingAt(
  { line, column, included }: SourcePosition,
  id: string,
  message: string,
  advice: string | undefined,
): RuleFinding {
  return {
    position: { line, column },
    id,
    message,
    ...(advice !== undefined && { advice }),
    ...(included !== undefined && { path: included }),
  };
}
