import type { Member, Node } from "./parsed-document.js";
import { TABLE_SCHEMA } from "./schema.js";

/**
 * Recognizes documents that are not a table of ipvsadm, so that one error can say so, instead of one for each field.
 *
 * @returns undefined for a table without or with a misspelled schema
 */
export function foreignFormat(
  root: Node,
): { readonly message: string; readonly advice: string } | undefined {
  if (!isObject(root.value)) return undefined;
  const fields = root.value;
  if (isIpvsctl(fields))
    return {
      message: "this is a file of ipvsctl, which ipvsadm does not read",
      advice:
        "to convert it, load it with ipvsctl, then run 'ipvsadm save -o yaml'",
    };
  const schema = fields.get("schema")?.value;
  if (typeof schema === "string")
    return schema.startsWith("ipvsadm/table")
      ? undefined
      : {
          message: `expected a document of schema "${TABLE_SCHEMA}", got ${JSON.stringify(schema)}`,
          advice: "'ipvsadm save -o json' and 'ipvsadm list -o json' print one",
        };
  if (!fields.has("services"))
    return {
      message: `this is not a table of ipvsadm: missing "schema" and "services"`,
      advice: `'ipvsadm save -o yaml' prints an example; its schema is "${TABLE_SCHEMA}"`,
    };
  return undefined;
}

/** ipvsctl has `destinations` with `forward` instead of `servers`, and addresses such as `tcp://192.0.2.1:80`. */
function isIpvsctl(fields: ReadonlyMap<string, Member>): boolean {
  const services = fields.get("services")?.value;
  if (!Array.isArray(services)) return false;
  return (services as readonly Node[]).some(({ value }) => {
    if (!isObject(value)) return false;
    const address = value.get("address")?.value;
    return (
      value.has("destinations") ||
      (typeof address === "string" && /^(?:tcp|udp|sctp|fwmark):/.test(address))
    );
  });
}

function isObject(value: Node["value"]): value is ReadonlyMap<string, Member> {
  return value instanceof Map;
}
