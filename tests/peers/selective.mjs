// SD-JWT VC by @sd-jwt/core: issue, check, show with key binding. The keys are those of keys.mjs.
import * as jose from 'jose';
import {SDJwtInstance} from '@sd-jwt/core';
import {randomBytes, webcrypto} from 'node:crypto';
import {believed, encode, hash, privateKeyOf, resolved} from './keys.mjs';


const HOW = {ES256: {name: 'ECDSA', hash: 'SHA-256'}, ES384: {name: 'ECDSA', hash: 'SHA-384'}, EdDSA: {name: 'Ed25519'}};

async function signer(jwk) {
  const {privateKey, alg} = await privateKeyOf(jwk);
  return async data => encode(await webcrypto.subtle.sign(HOW[alg], privateKey, new TextEncoder().encode(data)));
}

const verifier = (jwk, alg) => async (data, signature) => {
  try {
    await jose.compactVerify(`${data}.${signature}`, await jose.importJWK(jwk, alg), {algorithms: [alg]});
    return true;
  } catch{
    return false;
  }
};

const header = token => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));
const payload = token => JSON.parse(Buffer.from(token.split('~')[0].split('.')[1], 'base64url'));
const instance = more => new SDJwtInstance({
  hasher: hash, hashAlg: 'sha-256', saltGenerator: async length => randomBytes(length).toString('base64url'), ...more
});

export async function issue({claims, frame, holder, issuer}) {
  const made = instance({signer: await signer(issuer.jwk), signAlg: 'ES256'});
  return made.issue({...claims, cnf: {jwk: holder}}, frame, {header: {typ: 'dc+sd-jwt', x5c: issuer.x5c}});
}

/** The claims of a credential, when its issuer is somebody that we know. */
export async function check(token) {
  const {alg, typ, x5c} = header(token);
  if(typ !== 'dc+sd-jwt') {
    throw new Error(`not an SD-JWT VC: ${typ}`);
  }
  const {payload} = await instance({verifier: verifier(believed(x5c), alg)}).verify(token);
  return payload;
}

/** The claims of a presentation with key binding over this nonce and audience, and the key binding JWT itself. */
export async function verify(token, {nonce, audience}) {
  const {alg, x5c} = header(token);
  const kb = token.slice(token.lastIndexOf('~') + 1);
  const holder = payload(token).cnf.jwk;
  const reader = instance({verifier: verifier(believed(x5c), alg), kbVerifier: verifier(holder, header(kb).alg)});
  const {payload: claims} = await reader.verify(token, {keyBindingNonce: nonce});
  const bound = payload(kb);
  if(bound.aud !== audience || header(kb).typ !== 'kb+jwt') {
    throw new Error('the presentation is for somebody else');
  }
  return {claims, bound};
}

/** A presentation of these paths. `bent` changes members of the key binding JWT, `by` signs it with another key. */
export async function show(token, {paths, nonce, audience, more = {}, bent = {}, by}) {
  const holder = by ?? await holderOf(token);
  const {alg} = await privateKeyOf(holder);
  const frame = {};
  for(const path of paths) {
    path.reduce((at, step, place) => at[step] = place === path.length - 1 ? true : at[step] ?? {}, frame);
  }
  const made = instance({kbSigner: await signer(holder), kbSignAlg: alg});
  const iat = Math.floor(Date.now() / 1000);
  return made.present(token, frame, {kb: {payload: {iat, nonce, aud: audience, ...more, ...bent}}});
}

const holderOf = async token => {
  const {jwk, kid} = payload(token).cnf;
  return jwk ?? resolved(kid);
};

export const claims = token => instance({}).getClaims(token);
