// The Solidity compiler of the peers as a filter: standard JSON in, standard JSON out. No imports are resolved.
"use strict";

const solc = require(process.argv[2]);
const input = require("fs").readFileSync(0, "utf8");
process.stdout.write(JSON.stringify({ version: solc.version(), output: JSON.parse(solc.compile(input)) }));
