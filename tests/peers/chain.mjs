// A chain as ethers and ethr-did-resolver see it: contracts made, written to, read, and proved, over JSON-RPC.
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';
import {Resolver} from 'did-resolver';
import {EthrDidController, getResolver} from 'ethr-did-resolver';
import {ContractFactory, JsonRpcProvider, Transaction, Wallet, keccak256} from 'ethers';

const artifact = createRequire(import.meta.url)(
  './node_modules/ethr-did-registry/artifacts/contracts/EthereumDIDRegistry.sol/EthereumDIDRegistry.json');
let provider, wallet, registry;

const OPS = {
  /** A node by URL, and an account that has money there. */
  async use({url, secret}) {
    provider = new JsonRpcProvider(url, undefined, {pollingInterval: 20, cacheTimeout: -1});
    wallet = new Wallet(secret, provider);
    const {chainId} = await provider.getNetwork();
    return {address: wallet.address, chainId: Number(chainId), balance: String(await provider.getBalance(wallet.address))};
  },
  /** Deploys the registry of others, and writes an attribute; answers what the chain then says. */
  async write({value}) {
    registry = await new ContractFactory(artifact.abi, artifact.bytecode, wallet).deploy();
    await registry.waitForDeployment();
    const name = Buffer.from('did/svc/Demo'.padEnd(32, '\0'));
    const data = Buffer.from(value);
    const sent = await registry.setAttribute(wallet.address, name, data, 86_400);
    const receipt = await sent.wait();
    const block = await provider.getBlock(receipt.blockNumber);
    const [log] = await registry.queryFilter(registry.filters.DIDAttributeChanged(wallet.address), 0, 'latest');
    const kept = await provider.getTransaction(receipt.hash);
    return {
      registry: await registry.getAddress(), block: receipt.blockNumber, blockHash: block.hash, time: block.timestamp,
      status: receipt.status, gas: Number(receipt.gasUsed), told: Buffer.from(log.args.value.slice(2), 'hex').toString(),
      changed: Number(await registry.changed(wallet.address)), owner: await registry.identityOwner(wallet.address),
      sameHash: keccak256(Transaction.from(kept).serialized) === receipt.hash
    };
  },
  /** A call and an estimate that the contract refuses; the reason as ethers reads it. */
  async refused() {
    const reasons = [];
    const other = Wallet.createRandom().address;
    for(const work of [() => registry.changeOwner.staticCall(other, other), () => registry.changeOwner.estimateGas(other, other)]) {
      reasons.push(await work().then(() => null, error => error.reason ?? error.shortMessage));
    }
    return {reasons};
  },
  /** The DID document that ethr-did-resolver finds. */
  async resolve({network}) {
    const place = await registry.getAddress();
    const {chainId} = await provider.getNetwork();
    const networks = [{name: network, chainId: Number(chainId), provider, registry: place}];
    const did = `did:ethr:${network}:${wallet.address}`;
    await new EthrDidController(did, undefined, wallet, undefined, provider, undefined, place).addDelegate(
      'veriKey', Wallet.createRandom().address, 86_400);
    return {did, result: await new Resolver(getResolver({networks})).resolve(did)};
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
