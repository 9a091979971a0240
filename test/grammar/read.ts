import assert from "node:assert/strict";
import { INET } from "../../src/ipvs/address.js";
import type { ServiceKey } from "../../src/ipvs/model.js";
import type { ClassicCommand } from "../../src/grammar/command.js";
import { UsageFault } from "../../src/grammar/usage-errors.js";
import { parse } from "../../src/grammar/parse.js";
import { LOOKUPS } from "./lookups.js";

/** Parses a command line whose words are separated by single spaces. */
export function read(line: string): ClassicCommand {
  return parse(line === "" ? [] : line.split(" "), LOOKUPS);
}

/** The message for an invalid command line. */
export function fault(line: string): string {
  try {
    read(line);
  } catch (error) {
    assert.ok(error instanceof UsageFault);
    return error.sentence;
  }
  assert.fail(`${line} is carried out`);
}

/** `-t 10.0.0.1:80` */
export const TCP_WEB: ServiceKey = {
  family: INET,
  protocol: 6,
  address: Uint8Array.of(10, 0, 0, 1),
  port: 80,
};
