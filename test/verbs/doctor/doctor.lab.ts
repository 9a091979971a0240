import "./nat.lab.js";
import "./direct.lab.js";
import "./tunnel.lab.js";
