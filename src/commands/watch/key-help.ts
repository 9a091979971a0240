import type { Part } from "./frame.js";

/** What the screen shows at `?`: 80 columns and 24 lines are enough for it. */
export const HELP: readonly Part[] = [
  { text: "Keys of ipvsadm watch", style: "title" },
  { text: "  s, S        sort by the next, or the one before, of these" },
  { text: "  1 2 3       sort by connections/s, packets/s, bytes/s" },
  { text: "  4 5 6       sort by active connections, latest changes, name" },
  { text: "  r           reverse: the idlest first, or the busiest" },
  { text: "  /           filter: words that a service or server must have" },
  { text: "  Escape      no filter" },
  { text: "  v           servers under their services, or services alone" },
  { text: "  p           pause, and go on; nothing is read meanwhile" },
  { text: "  ↑ ↓  k j    scroll;  Page Up, Page Down or space: by pages" },
  { text: "  Home End    the first and the last rows;  g G do the same" },
  { text: "  Ctrl-L      draw the screen anew;  Ctrl-Z stops, 'fg' goes on" },
  { text: "  q, Ctrl-C   quit" },
  { text: "" },
  { text: "What it shows", style: "title" },
  { text: "  Rates are by what the counters grew; the kernel adds to them" },
  {
    text: "  every 2 seconds. - is not known yet, or the counters were zeroed.",
  },
  { text: "  Prefixes are SI: k is 1000. B are bytes, pkt packets." },
  { text: "  Bars are the last minute of the rate that is sorted by, in" },
  { text: "  proportion to the highest of the line." },
  { text: "  Changes are marked for a minute: new, gone, and what a weight" },
  {
    text: "  or a scheduler was before. A weight of 0 takes no new connections.",
  },
  { text: "" },
  { text: "Any key goes back.", style: "dim" },
];
