import { escapeControls } from "../../../cli/escape.js";
import { EXIT } from "../../../cli/exit-status.js";
import type { Invocation } from "../../../cli/invocation.js";
import { counted } from "../../../cli/units.js";
import { jsonText } from "../../../document/json-text.js";
import { publish, type Publication } from "../../../fleet/publish.js";
import { randomId } from "../../../system/random-name.js";
import type { FleetConnection } from "../open-store.js";
import { authorOf } from "../author.js";
import { revisionJson } from "../revision-json.js";

/** What the command line says of a publication. */
export function publicationOf(
  { given, io }: Invocation,
  name: string,
): Pick<
  Publication,
  "name" | "author" | "at" | "id" | "expect" | "release" | "force"
> {
  return {
    name,
    author: given.text("author") ?? authorOf({ io }),
    at: new Date().toISOString(),
    id: randomId(),
    expect: given.number("expect"),
    release: !given.flag("stage"),
    force: given.flag("force"),
  };
}

/** Publishes and reports. @returns the exit status */
export async function publishAndReport(
  { given, output }: Invocation,
  { store, keys }: FleetConnection,
  publication: Publication,
): Promise<number> {
  const { revision, before } = await publish(store, keys, publication);
  if (given.text("output") === "json")
    output.write(
      `${jsonText({
        schema: "ipvsadm/fleet-revision/1",
        ...revisionJson(revision),
        released: publication.release,
        before: before.newest,
      })}\n`,
    );
  else
    output.lines([
      `${escapeControls(revision.table)}: revision ${revision.revision}, ${counted(revision.services, "service")}, ${counted(revision.servers, "server")}${publication.release ? "" : ", staged"}`,
    ]);
  return EXIT.ok;
}
