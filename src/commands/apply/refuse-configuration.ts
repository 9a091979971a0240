import type { RuleFile } from "../../rules/rule-file.js";
import { CommandError } from "../../cli/errors.js";
import { named } from "../../cli/rule-file.js";

/**
 * Refuses the configuration of a health checker: only that program knows which real servers are healthy.
 *
 * @throws {CommandError} if the file is such a configuration
 */
export function refuseConfiguration({ name, healthChecks }: RuleFile): void {
  if (!healthChecks) return;
  const { program } = healthChecks;
  throw new CommandError(
    `${named(name)} is a configuration of ${program}, which changes the table itself`,
    `reload ${program} instead, and compare with 'ipvsadm diff'`,
  );
}
