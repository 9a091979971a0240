import type { DifferenceItem } from "../../cli/changes/difference-items.js";
import { CommandError } from "../../cli/errors.js";
import { eventText } from "../../http/event-hub.js";
import type { AssessedService } from "../../ipvs/state.js";
import type { FaultEvent, TableEvent, UpdateEvent } from "../../page/events.js";
import { faultLine } from "../metrics/metrics-page.js";
import type { Snapshot } from "../metrics/snapshot.js";
import { ChangeLog, changeRows } from "./changes.js";
import type { Reading, ReadingListener } from "./readings.js";
import { Tracker } from "./tracker.js";

/** The latest reading, and all that is derived from it. */
export class LiveTable implements ReadingListener {
  readonly tracker = new Tracker();
  readonly #changes = new ChangeLog();
  readonly #host: string;
  readonly #intervalSeconds: number;
  readonly #send: (event: string) => void;
  readonly #hasFleet: boolean;
  #reading: Reading | undefined;
  #fault: unknown;
  #faultText: string | undefined;
  #welcome: Buffer | undefined;

  /**
   * @param send sends an event to all clients
   * @param hasFleet whether the page asks for the directors of a fleet
   */
  constructor(
    host: string,
    intervalSeconds: number,
    send: (event: string) => void,
    hasFleet = false,
  ) {
    this.#host = host;
    this.#intervalSeconds = intervalSeconds;
    this.#send = send;
    this.#hasFleet = hasFleet;
  }

  /** The latest reading. @throws why the table cannot be read */
  get snapshot(): Snapshot {
    if (this.#faultText !== undefined) throw this.#fault;
    if (!this.#reading)
      throw new CommandError("the table is being read", "try again");
    return this.#reading.snapshot;
  }

  /** The services of the latest reading. @throws why the table cannot be read */
  get services(): AssessedService[] {
    return this.snapshot.services.map(({ service }) => service);
  }

  read(reading: Reading, items: readonly DifferenceItem[]): void {
    const { date, snapshot } = reading;
    this.#reading = reading;
    this.#fault = undefined;
    this.#faultText = undefined;
    this.#welcome = undefined;
    const table = snapshot.services.map(({ service }) => service);
    const { services, removed, figures } = this.tracker.take(table, reading);
    const changes = changeRows(items, date);
    this.#changes.add(changes);
    const update: UpdateEvent = {
      time: date.toISOString(),
      ...(services.length > 0 && { services }),
      ...(removed.length > 0 && { removed }),
      ...(figures.length > 0 && { figures }),
      ...(changes.length > 0 && { changes }),
    };
    this.#send(eventText("update", JSON.stringify(update)));
  }

  failed(error: unknown, date: Date): void {
    this.#fault = error;
    this.#faultText = faultLine(error);
    this.#welcome = undefined;
    const event: FaultEvent = {
      time: date.toISOString(),
      fault: this.#faultText,
    };
    this.#send(eventText("fault", JSON.stringify(event)));
  }

  /** The event that tells a new client everything. Made once a reading. */
  welcome(): Buffer {
    return (this.#welcome ??= this.#makeWelcome());
  }

  #makeWelcome(): Buffer {
    const table: TableEvent = {
      schema: "ipvsadm/events/1",
      time: (this.#reading?.date ?? new Date()).toISOString(),
      host: this.#host,
      intervalSeconds: this.#intervalSeconds,
      services: this.tracker.rows,
      figures: this.tracker.figures,
      changes: this.#changes.rows,
      fault: this.#faultText ?? null,
      ...(this.#hasFleet && { fleet: true }),
    };
    return Buffer.from(eventText("table", JSON.stringify(table)));
  }
}
