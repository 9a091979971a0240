/** The names of the options on a line. They are few, and there may be tens of thousands of lines: no set is made. */
export class Given implements Pick<ReadonlySet<string>, "has"> {
  readonly #names: string[] = [];

  add(name: string): void {
    this.#names.push(name);
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }
}
