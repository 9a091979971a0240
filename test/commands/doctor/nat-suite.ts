// Where packets of masqueraded servers are lost, and the way of a client. It runs beside another suite: test/lab/side-by-side.
import "./nat-ways.lab.js";
import "./real-ways.lab.js";
import "./answer-ways.lab.js";
import "./real-listeners.lab.js";
import "./client.lab.js";
