// What doctor sees of connections and counters, and what dead servers keep. It runs beside another suite: test/lab/side-by-side.
import "./nat-traffic.lab.js";
import "./half-open.lab.js";
import "./dead-servers.lab.js";
