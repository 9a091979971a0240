/** Parses Prometheus' text format. @returns the value of each series by its name and sorted labels */
export function seriesOf(
  text: string,
  selected: (name: string) => boolean = () => true,
): Map<string, number> {
  const series = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name = "", labels = "", value = ""] =
      /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === "") throw new Error(`this is no series: ${line}`);
    if (!selected(name)) continue;
    const pairs = labels.match(/[a-z_]+="(?:[^"\\]|\\.)*"/g) ?? [];
    const key = `${name}{${[...pairs].sort().join(",")}}`;
    if (series.has(key)) throw new Error(`this comes twice: ${line}`);
    series.set(key, Number(value));
  }
  return series;
}
