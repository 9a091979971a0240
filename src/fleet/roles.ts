import type { FleetKeys } from "./keys.js";

/** What a role may do with all keys that begin with a text. */
export interface Grant {
  readonly prefix: string;
  readonly access: "read" | "readwrite";
}

/** A role of the store. */
export interface Role {
  readonly name: string;
  readonly grants: (keys: FleetKeys) => readonly Grant[];
}

export const PUBLISHER_ROLE = "ipvsadm-publisher";
export const VIEWER_ROLE = "ipvsadm-viewer";
export const DIRECTOR_ROLE = "ipvsadm-director";

/** The roles that all users share. */
export const ROLES: readonly Role[] = [
  {
    name: PUBLISHER_ROLE,
    grants: ({ prefix }) => [{ prefix, access: "readwrite" }],
  },
  { name: VIEWER_ROLE, grants: ({ prefix }) => [{ prefix, access: "read" }] },
  {
    name: DIRECTOR_ROLE,
    grants: ({ prefix, heads, orders, drains }) =>
      [heads, `${prefix}revisions/`, `${prefix}content/`, orders, drains].map(
        (prefix) => ({ prefix, access: "read" }),
      ),
  },
];

/** The role with which a director writes its own report, and nothing else. */
export function directorRole(director: string): Role {
  return {
    name: `${DIRECTOR_ROLE}-${director}`,
    grants: (keys) => [
      { prefix: keys.director(director), access: "readwrite" },
    ],
  };
}
