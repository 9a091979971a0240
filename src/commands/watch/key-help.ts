import type { Part } from "./frame.js";

/** The screen that the key `?` shows. It fits 80 columns and 24 lines. */
export const KEY_HELP: readonly Part[] = [
  { text: "Keys of ipvsadm watch", style: "title" },
  { text: "  ↑ ↓  k j    select a row;  Page Up, Page Down, space: by a page" },
  { text: "  Home End    first or last row;  g G do the same" },
  { text: "  Enter       open the row: connections, thresholds, history" },
  { text: "  Escape      go back; remove the filter, then the selection" },
  {
    text: "  d  u  w     drain, undrain, set the weight of the selected server;",
  },
  { text: "              the command is shown, and y runs it" },
  { text: "  s, S        sort by the next or the previous of these keys:" },
  { text: "  1 2 3       sort by connections/s, packets/s, bytes/s" },
  { text: "  4 5 6       sort by active connections, latest change, name" },
  {
    text: "  r  v  c     reverse the order; hide real servers; choose columns",
  },
  { text: "  /           filter: show lines that contain all these words" },
  { text: "  p           pause or resume; while paused, nothing is read" },
  { text: "  Ctrl-L      redraw the screen;  Ctrl-Z suspends, 'fg' resumes" },
  { text: "  q, Ctrl-C   quit" },
  { text: "Columns", style: "title" },
  { text: "  Rates are measured from the counters, which the kernel updates" },
  { text: "  every 2 seconds. - is unknown: after one reading or a reset." },
  { text: "  Prefixes are SI: k is 1000. B is bytes, pkt is packets." },
  { text: "  Bars show the last minute of the rate that sorts the table," },
  { text: "  relative to the highest value of the line." },
  { text: "  Changes are shown for a minute: new, gone, or the old weight or" },
  { text: "  scheduler. A server with weight 0 accepts no new connections." },
  { text: "Press any key to go back.", style: "dim" },
];
