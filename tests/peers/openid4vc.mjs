// Other people's OpenID4VCI and OpenID4VP, asked line by line: a JSON request on stdin, a JSON answer on stdout.
//
// Requests: {op, ...}; answers: {ok: true, ...} or {ok: false, error}. The wallet's operations are in holding.mjs, those
// of an issuer and of a verifier, which also listen on a port of this machine, in serving.mjs, single tokens in pieces.mjs.
import {OPS as HOLDING} from './holding.mjs';
import {OPS as PIECES} from './pieces.mjs';
import {OPS as SERVING} from './serving.mjs';
import {createInterface} from 'node:readline';

const OPS = {...HOLDING, ...PIECES, ...SERVING};

/** An error with all that a test may want to know: the protocol's own words, and what was behind it. */
function told(error) {
  const protocol = error?.errorResponse ?? error?.response?.credentialErrorResponseResult?.data ??
    error?.response?.deferredCredentialErrorResponseResult?.data ?? error?.response?.notificationErrorResponseResult?.data;
  const chain = [];
  for(let at = error; at && chain.length < 4; at = at.cause) {
    chain.push(String(at.message ?? at));
  }
  return (protocol ? `${protocol.error}: ${protocol.error_description ?? ''} ` : '') + chain.join(' < ').slice(0, 1500);
}

for await (const line of createInterface({input: process.stdin})) {
  let answer;
  try {
    const request = JSON.parse(line);
    answer = {ok: true, ...await OPS[request.op](request)};
  } catch(error) {
    answer = {ok: false, error: told(error)};
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
process.exit(0);
