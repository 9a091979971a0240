// Where packets of masqueraded servers are lost, and what dead servers keep. It runs beside another suite: test/lab/side-by-side.
import "./nat-ways.lab.js";
import "./real-ways.lab.js";
import "./dead-servers.lab.js";
