// EIP-712 as ethers does it: what a wallet shows and signs for a message of our identity registry.
import {createInterface} from 'node:readline';
import {TypedDataEncoder, Wallet} from 'ethers';

const OPS = {
  /** The digest of a message, and a wallet's signature over it. */
  async sign({secret, chainId, registry, kind, fields, message}) {
    const domain = {name: 'IdentityRegistry', version: '1', chainId, verifyingContract: registry};
    const types = {[kind]: fields};
    return {
      type: TypedDataEncoder.from(types).encodeType(kind), digest: TypedDataEncoder.hash(domain, types, message),
      signature: await new Wallet(secret).signTypedData(domain, types, message)
    };
  }
};

for await (const line of createInterface({input: process.stdin})) {
  let answer;
  try {
    const request = JSON.parse(line);
    answer = {ok: true, ...await OPS[request.op](request)};
  } catch(error) {
    answer = {ok: false, error: String(error).slice(0, 500)};
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
process.exit(0);
