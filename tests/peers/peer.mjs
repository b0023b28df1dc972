// Other people's software, asked line by line: a JSON request on stdin, a JSON answer on stdout.
//
// Requests: {op, ...}; answers: {ok: true, ...} or {ok: false, error}. `time` runs another request n times and tells the
// CPU time of one, in milliseconds. Contexts come from the files that FACET_CONTEXTS names ({url: path}); nothing is
// fetched.
import * as Bls12381 from '@digitalbazaar/bls12-381-multikey';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as bbs2023 from '@digitalbazaar/bbs-2023-cryptosuite';
import * as ecdsaSd2023 from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite as ecdsaRdfc2019} from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import {cryptosuite as eddsaRdfc2022} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {SDJwtInstance} from '@sd-jwt/core';
import {createHash, randomBytes, webcrypto} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';

const contexts = new Map(
  Object.entries(JSON.parse(process.env.FACET_CONTEXTS)).map(([url, file]) => [url, JSON.parse(readFileSync(file))]));

const SUITES = {
  'eddsa-rdfc-2022': {keys: Ed25519Multikey, sign: () => eddsaRdfc2022, verify: () => eddsaRdfc2022},
  'ecdsa-rdfc-2019': {keys: EcdsaMultikey, options: {curve: 'P-256'}, sign: () => ecdsaRdfc2019, verify: () => ecdsaRdfc2019},
  'ecdsa-sd-2023': {
    keys: EcdsaMultikey, options: {curve: 'P-256'},
    sign: mandatoryPointers => ecdsaSd2023.createSignCryptosuite({mandatoryPointers}),
    disclose: selectivePointers => ecdsaSd2023.createDiscloseCryptosuite({selectivePointers}),
    verify: () => ecdsaSd2023.createVerifyCryptosuite()
  },
  'bbs-2023': {
    keys: {generate: options => Bls12381.generateBbsKeyPair({algorithm: Bls12381.ALGORITHMS.BBS_BLS12381_SHA256, ...options}),
      from: Bls12381.from},
    sign: mandatoryPointers => bbs2023.createSignCryptosuite({mandatoryPointers}),
    disclose: selectivePointers => bbs2023.createDiscloseCryptosuite({selectivePointers}),
    verify: () => bbs2023.createVerifyCryptosuite()
  }
};
const pairs = new Map();

async function pair(name) {
  if(!pairs.has(name)) {
    const suite = SUITES[name];
    const made = await suite.keys.generate({...suite.options});
    const {publicKeyMultibase} = await made.export({publicKey: true});
    const controller = `did:key:${publicKeyMultibase}`;
    made.controller = controller;
    made.id = `${controller}#${publicKeyMultibase}`;
    pairs.set(name, made);
  }
  return pairs.get(name);
}

async function documentLoader(url) {
  if(contexts.has(url)) {
    return {contextUrl: null, documentUrl: url, document: contexts.get(url)};
  }
  if(!url.startsWith('did:key:')) {
    throw new Error(`unknown document: ${url}`);
  }
  const [did, fragment] = url.split('#');
  const multikey = did.slice('did:key:'.length);
  const id = `${did}#${multikey}`;
  const method = {
    '@context': 'https://w3id.org/security/multikey/v1', id, type: 'Multikey', controller: did, publicKeyMultibase: multikey
  };
  const document = fragment ? method : {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'], id: did,
    verificationMethod: [method], authentication: [id], assertionMethod: [id]
  };
  return {contextUrl: null, documentUrl: url, document};
}

const proof = (cryptosuite, signer) => new DataIntegrityProof({cryptosuite, ...(signer && {signer})});
const told = result => result.verified ? {verified: true} : {verified: false, error: String(result.error?.errors?.[0] ?? result.error)};

async function sdjwt() {
  const issuer = await webcrypto.subtle.generateKey({name: 'ECDSA', namedCurve: 'P-256'}, true, ['sign', 'verify']);
  const holder = await webcrypto.subtle.generateKey({name: 'ECDSA', namedCurve: 'P-256'}, true, ['sign', 'verify']);
  const how = {name: 'ECDSA', hash: {name: 'SHA-256'}};
  const signer = key => async data =>
    Buffer.from(await webcrypto.subtle.sign(how, key, new TextEncoder().encode(data))).toString('base64url');
  const verifier = key => async (data, signature) =>
    webcrypto.subtle.verify(how, key, Buffer.from(signature, 'base64url'), new TextEncoder().encode(data));
  const hasher = (data, alg) => new Uint8Array(createHash(alg.replace('-', '')).update(
    typeof data === 'string' ? data : Buffer.from(data)).digest());
  return {
    issuerJwk: await webcrypto.subtle.exportKey('jwk', issuer.publicKey),
    holderJwk: await webcrypto.subtle.exportKey('jwk', holder.publicKey),
    with: (issuerKey = issuer.publicKey, holderKey = holder.publicKey) => new SDJwtInstance({
      signer: signer(issuer.privateKey), verifier: verifier(issuerKey), signAlg: 'ES256', hasher, hashAlg: 'sha-256',
      saltGenerator: async n => randomBytes(n).toString('base64url'),
      kbSigner: signer(holder.privateKey), kbVerifier: verifier(holderKey), kbSignAlg: 'ES256'
    })
  };
}
let sd;
const imported = jwk => jwk && webcrypto.subtle.importKey('jwk', jwk, {name: 'ECDSA', namedCurve: 'P-256'}, true, ['verify']);

const OPS = {
  async key({suite}) {
    const {id, controller} = await pair(suite);
    return {verificationMethod: id, did: controller};
  },
  async issue({suite, credential, mandatory}) {
    const key = await pair(suite);
    const made = SUITES[suite].sign(mandatory);
    return {credential: await vc.issue({
      credential: structuredClone(credential), suite: proof(made, key.signer()), documentLoader})};
  },
  async derive({suite, credential, pointers}) {
    return {credential: await vc.derive({
      verifiableCredential: structuredClone(credential), suite: proof(SUITES[suite].disclose(pointers)), documentLoader})};
  },
  async verify({suite, credential}) {
    return told(await vc.verifyCredential({
      credential: structuredClone(credential), suite: proof(SUITES[suite].verify()), documentLoader}));
  },
  async present({suite, credentials, challenge, domain}) {
    const key = await pair(suite);
    const presentation = vc.createPresentation({verifiableCredential: credentials, holder: key.controller, verify: false});
    return {presentation: await vc.signPresentation({
      presentation, suite: proof(SUITES[suite].sign(), key.signer()), challenge, domain, documentLoader})};
  },
  async verifyPresentation({suites, presentation, challenge, domain}) {
    return told(await vc.verify({
      presentation: structuredClone(presentation), challenge, domain, documentLoader,
      suite: suites.map(name => proof(SUITES[name].verify()))}));
  },
  async sdIssue({claims, frame}) {
    sd ??= await sdjwt();
    const token = await sd.with().issue({...claims, cnf: {jwk: sd.holderJwk}}, frame, {header: {typ: 'dc+sd-jwt'}});
    return {token, issuer: sd.issuerJwk, holder: sd.holderJwk};
  },
  async sdPresent({token, show, nonce, aud, iat}) {
    sd ??= await sdjwt();
    return {token: await sd.with().present(token, show, {kb: {payload: {iat, nonce, aud}}})};
  },
  async sdVerify({token, issuer, holder, nonce}) {
    sd ??= await sdjwt();
    const reader = sd.with(await imported(issuer), await imported(holder));
    const {payload} = await reader.verify(token, {keyBindingNonce: nonce});
    return {verified: true, payload};
  },
  async time({request, n, warm = 3}) {
    for(let i = 0; i < warm; i++) {
      await OPS[request.op](request);
    }
    let best = Infinity;
    for(let round = 0; round < 5; round++) {
      const begin = process.cpuUsage();
      for(let i = 0; i < n; i++) {
        await OPS[request.op](request);
      }
      const used = process.cpuUsage(begin);
      best = Math.min(best, (used.user + used.system) / 1000 / n);
    }
    return {ms: best};
  }
};

for await (const line of createInterface({input: process.stdin})) {
  let answer;
  try {
    const request = JSON.parse(line);
    answer = {ok: true, ...await OPS[request.op](request)};
  } catch(error) {
    answer = {ok: false, error: String(error?.details?.cause ?? error?.cause ?? error).slice(0, 500)};
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
