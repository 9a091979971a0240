// Masquerading, seen from the director and from real servers. It runs beside another suite: test/lab/side-by-side.
import "./nat.lab.js";
import "./nat-ways.lab.js";
import "./real-ways.lab.js";
