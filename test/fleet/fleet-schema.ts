import assert from "node:assert/strict";
import { invalidities } from "../document/schema.js";

/** The document of 'fleet status -o json', as far as tests look at it. */
export interface FleetStatusDocument {
  readonly directors: readonly {
    readonly name: string;
    readonly state: string;
  }[];
}

/** Parses a document of 'fleet status', which must fit its schema. */
export function validated(text: string): FleetStatusDocument {
  const document = JSON.parse(text) as FleetStatusDocument;
  assert.deepEqual(invalidities(document, "", "ipvsadm/fleet-status/1"), []);
  return document;
}
