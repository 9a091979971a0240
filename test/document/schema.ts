import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";

const FILE = "schema/table-1.json";

/** The published schema. The path is relative to the root of the repository. */
const ajv = new Ajv2020({
  strict: true,
  allErrors: true,
  strictRequired: false,
});
ajv.addSchema(JSON.parse(readFileSync(FILE, "utf8")) as object);

/** Validates a document. @param part of the schema: `#/$defs/service` @returns the errors */
export function invalidities(document: unknown, part = ""): string[] {
  const validate = ajv.getSchema(`ipvsadm/table/1${part}`);
  if (!validate) throw new Error(`there is no ${part} in ${FILE}`);
  void validate(document);
  return (validate.errors ?? []).map(
    ({ instancePath, message }) => `${instancePath} ${message ?? ""}`,
  );
}
