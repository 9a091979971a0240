import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

const FOLDER = "schema";

/** The published schemas. The path is relative to the root of the repository. */
export const SCHEMAS: readonly Schema[] = readdirSync(FOLDER).map((name) => ({
  ...(JSON.parse(readFileSync(`${FOLDER}/${name}`, "utf8")) as Schema),
  file: `${FOLDER}/${name}`,
}));

/** What the tests read of a schema. */
export interface Schema {
  readonly file: string;
  readonly $id: string;
  readonly title: string;
  readonly description: string;
  readonly $defs?: Readonly<Record<string, object>>;
}

let compiled: Ajv2020 | undefined;

/** The compiler takes a moment to load the schemas, so it does so when it is needed. */
function validator(id: string): ValidateFunction {
  if (!compiled) {
    compiled = new Ajv2020({
      strict: true,
      allErrors: true,
      strictRequired: false,
    });
    for (const { file, ...schema } of SCHEMAS) {
      assert.ok(file);
      compiled.addSchema(schema);
    }
  }
  const validate = compiled.getSchema(id);
  assert.ok(validate, `there is no schema ${id}`);
  return validate;
}

/** Validates a document. @param part of the schema: `#/$defs/service` @returns the errors */
export function invalidities(
  document: unknown,
  part = "",
  schema = "ipvsadm/table/1",
): string[] {
  const validate = validator(schema + part);
  void validate(document);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${instancePath} ${message ?? ""} ${JSON.stringify(params)}`,
  );
}

/** The documents of an output: the whole text, or each line. Only those that name their schema. */
export function documentsIn(text: string): { readonly schema: string }[] {
  return valuesIn(text).filter(
    (value): value is { readonly schema: string } =>
      typeof value === "object" &&
      value !== null &&
      "schema" in value &&
      typeof value.schema === "string",
  );
}

/** A longer text in YAML would take too long to parse. */
const LONGEST_YAML = 100_000;

function valuesIn(text: string): unknown[] {
  if (text.startsWith("schema: ") && text.length < LONGEST_YAML)
    return [parse(text) as unknown];
  if (!text.startsWith("{")) return [];
  const whole = parsed(text);
  return whole === undefined ? text.trimEnd().split("\n").map(parsed) : [whole];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Checks that each document in an output follows the schema that it names. @param line the command line */
export function assertFollowsSchema(text: string, line: string): void {
  for (const document of documentsIn(text))
    assert.deepEqual(invalidities(document, "", document.schema), [], line);
}
