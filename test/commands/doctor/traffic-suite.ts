// What doctor sees of connections and counters, in a guest of its own: it would find what other tests leave behind.
import "./nat-traffic.lab.js";
import "./half-open.lab.js";
import "./idle-connections.lab.js";
import "./nat-ways.lab.js";
import "./answer-ways.lab.js";
import "./sizes.lab.js";
import "./source-limits.lab.js";
