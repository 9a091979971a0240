import { CommandError } from "../../../cli/errors.js";
import { readFleet } from "../../../fleet/fleet-report.js";
import { jsonText } from "../../../document/json-text.js";
import { Body, type Answer } from "../../../http/body.js";
import type { Clock } from "../../../system/clock.js";
import { readConfigurationFile } from "../../fleet/configuration.js";
import { fleetLine } from "../../fleet/explain.js";
import { openStore } from "../../fleet/open-store.js";
import { statusJson } from "../../fleet/status/status-json.js";
import { metricsText } from "../../metrics/prometheus-text.js";
import { documentAnswer } from "../json-answers.js";
import { FLEET_FAMILIES } from "./fleet-families.js";
import { FleetView } from "./fleet-view.js";

/** A page or a scraper must not wait longer for the store. */
const DEADLINE_SECONDS = 4;

/** The directors of a fleet, for the page, the metrics and the API of `serve`. */
export class FleetSite implements Disposable {
  readonly #view: FleetView;
  readonly #close: () => void;

  /** @param close called when it is disposed of */
  constructor(view: FleetView, close: () => void) {
    this.#view = view;
    this.#close = close;
  }

  /** Opens the store that a file describes. The store need not answer. @throws {CommandError} the file has errors */
  static async open(file: string, clock: Clock): Promise<FleetSite> {
    const configuration = readConfigurationFile(file);
    const { store, keys } = await openStore(configuration, DEADLINE_SECONDS);
    const { endpoints } = configuration;
    const view = new FleetView(
      () => readFleet(store, keys),
      (error) => fleetLine(error, endpoints),
      clock,
    );
    return new FleetSite(view, () => {
      store.close();
    });
  }

  /** Answers with the document of `fleet status`, or with 503 if nothing is known. */
  answer(): Promise<Answer> {
    return documentAnswer(async () => {
      const { last, fault } = await this.#view.get();
      if (!last) throw new CommandError(fault ?? "etcd was not read yet");
      const document = {
        ...statusJson(last.report),
        time: last.date.toISOString(),
        ageSeconds: this.#view.ageSeconds(last),
        fault: fault ?? null,
      };
      return new Body(`${jsonText(document, 0)}\n`);
    });
  }

  /** The metrics of the fleet. If the store cannot be read, only that is reported. */
  async metrics(): Promise<string> {
    return metricsText(FLEET_FAMILIES, await this.#view.get());
  }

  [Symbol.dispose](): void {
    this.#view[Symbol.dispose]();
    this.#close();
  }
}
