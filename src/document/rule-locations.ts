import type { Daemon, Timeouts } from "../ipvs/model.js";
import type { ServerRule, ServiceRule } from "../ipvs/table.js";
import type { DocumentValue, ErrorCollector } from "./document-value.js";

/** An object of the model that has a position in the document. */
export type Rule = ServiceRule | ServerRule | Daemon | Timeouts;

/** Records the value of each rule, and whether it has errors. */
export class RuleLocations {
  readonly #errors: ErrorCollector;
  readonly values = new Map<Rule, DocumentValue>();
  readonly invalid = new Set<Rule>();

  constructor(errors: ErrorCollector) {
    this.#errors = errors;
  }

  /** Reads a rule from a value. */
  read<R extends Rule>(value: DocumentValue, read: () => R): R {
    const before = this.#errors.count;
    const rule = read();
    this.values.set(rule, value);
    if (this.#errors.count > before) this.invalid.add(rule);
    return rule;
  }
}
