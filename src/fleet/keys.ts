/** The longest name of a table or a director. */
const LONGEST_NAME = 63;

/** Revisions are numbered with this many digits, so that the order of the keys is the order of the revisions. */
const DIGITS = 10;

/** Whether a text can be the name of a table or a director: letters, digits, dots, dashes and underscores. */
export function isFleetName(text: string): boolean {
  return (
    text.length <= LONGEST_NAME && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text)
  );
}

/** Where fleet keeps what in the store. */
export class FleetKeys {
  readonly prefix: string;

  /** @param prefix of all keys; a slash at its end is added if needed */
  constructor(prefix: string) {
    this.prefix = prefix.endsWith("/") ? prefix : `${prefix}/`;
  }

  /** The pointer of a table: its newest and its released revision. */
  head(table: string): string {
    return `${this.heads}${table}`;
  }

  get heads(): string {
    return `${this.prefix}heads/`;
  }

  /** Author, message and hash of a revision. */
  revision(table: string, revision: number): string {
    return this.revisions(table) + digitsOf(revision);
  }

  revisions(table: string): string {
    return `${this.prefix}revisions/${table}/`;
  }

  /** The table itself, with gzip. */
  content(table: string, revision: number): string {
    return `${this.prefix}content/${table}/${digitsOf(revision)}`;
  }

  /** What an operator or a rollout wants of a director. */
  order(director: string): string {
    return `${this.orders}${director}`;
  }

  get orders(): string {
    return `${this.prefix}orders/`;
  }

  /** A real server to drain on all directors. */
  drain(id: string): string {
    return `${this.drains}${id}`;
  }

  get drains(): string {
    return `${this.prefix}drains/`;
  }

  /** What a director reports. It stays when the director is silent. */
  state(director: string): string {
    return `${this.director(director)}state`;
  }

  /** The load of a director at its last report. */
  load(director: string): string {
    return `${this.director(director)}load`;
  }

  /** What a director found when a rollout asked for it. */
  examination(director: string): string {
    return `${this.director(director)}examination`;
  }

  /** Under a lease: it ends when the director is silent. */
  alive(director: string): string {
    return `${this.director(director)}alive`;
  }

  /** The keys that a director may write. */
  director(director: string): string {
    return `${this.directors}${director}/`;
  }

  get directors(): string {
    return `${this.prefix}directors/`;
  }

  /** A rollout of a table. */
  rollout(table: string): string {
    return `${this.rollouts}${table}`;
  }

  get rollouts(): string {
    return `${this.prefix}rollouts/`;
  }

  /** The process that carries out a rollout, under a lease. */
  rolloutHolder(table: string): string {
    return `${this.slots(table)}holder`;
  }

  /** The place of a rollout that changes a director, under a lease. */
  slot(table: string, slot: number): string {
    return `${this.slots(table)}${slot}`;
  }

  slots(table: string): string {
    return `${this.prefix}slots/${table}/`;
  }
}

function digitsOf(revision: number): string {
  return String(revision).padStart(DIGITS, "0");
}
