// did:ethr: npm ethr-did-resolver is asked many DIDs at once, against a node by URL.
import {createInterface} from 'node:readline';
import {Resolver} from 'did-resolver';
import {getResolver} from 'ethr-did-resolver';

let resolver;

const OPS = {
  /** A node and a registry on it. */
  async use({name, chainId, rpcUrl, registry}) {
    resolver = new Resolver(getResolver({networks: [{name, chainId, rpcUrl, registry}]}));
    return {};
  },
  /** The results in the order of the DID URLs, a few at a time: the node is on the same two cores. */
  async resolve({urls, atOnce = 32}) {
    const results = new Array(urls.length);
    let next = 0;
    await Promise.all(Array.from({length: atOnce}, async () => {
      while(next < urls.length) {
        const mine = next++;
        results[mine] = await resolver.resolve(urls[mine]);
      }
    }));
    return {results};
  },
  /** One resolution, and the wall-clock milliseconds that it took. */
  async timed({url}) {
    const begin = performance.now();
    const result = await resolver.resolve(url);
    return {ms: performance.now() - begin, result};
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
