// What doctor sees of packets, in a guest of its own: its network takes more than a case of the other suites.
import "./packets.lab.js";
